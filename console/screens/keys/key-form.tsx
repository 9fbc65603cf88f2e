import type { FormEvent } from 'react'
import type { AgentView } from '../../../gateway/protocol/rest.ts'
import { Button } from '../../ui/button.tsx'
import { Modal } from '../../ui/modal.tsx'

interface KeyFormProps {
  readonly open: boolean
  readonly onOpenChange: (open: boolean) => void
  readonly title: string
  readonly placeholder: string
  /** Given for keys that belong to an agent. */
  readonly agents?: readonly AgentView[]
  readonly busy: boolean
  readonly onSubmit: (form: { label: string; agent: string }) => void
}

export function KeyForm({ open, onOpenChange, title, placeholder, agents, busy, onSubmit }: KeyFormProps) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const label = String(form.get('label') ?? '').trim()
    if (label !== '') onSubmit({ label, agent: String(form.get('agent') ?? '') })
  }
  return (
    <Modal open={open} onOpenChange={onOpenChange} title={title}>
      <form onSubmit={submit}>
        <div className="field">
          <label htmlFor="key-label">Label</label>
          <input id="key-label" name="label" placeholder={placeholder} maxLength={80} required autoComplete="off" />
        </div>
        {agents !== undefined && (
          <div className="field">
            <label htmlFor="key-agent">Agent</label>
            <select id="key-agent" name="agent" required>
              {agents.map((agent) => (
                <option key={agent.id} value={agent.slug}>
                  {agent.name}
                </option>
              ))}
            </select>
          </div>
        )}
        <div className="modal-actions">
          <Button onClick={() => onOpenChange(false)}>Cancel</Button>
          <Button type="submit" variant="primary" busy={busy}>
            Create
          </Button>
        </div>
      </form>
    </Modal>
  )
}
