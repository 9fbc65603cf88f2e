import { useEffect, useMemo, useRef, useState } from 'react'
import type { ApprovalDetail, ApprovalView } from '../../../gateway/protocol/approvals.ts'
import { Button } from '../../ui/button.tsx'
import { Changed } from '../../ui/changed.tsx'
import { differences, type JsonObject } from '../../ui/json.ts'
import { JsonFacts } from '../../ui/json-facts.tsx'
import { SchemaForm } from '../../ui/schema-form/schema-form.tsx'
import { TextField } from '../../ui/text-fields.tsx'
import { argumentsOf } from './words.ts'

/** What the tool would get, and what somebody made of it. */
export function Arguments({ approval }: { approval: ApprovalView }) {
  const changes = approval.changes.map(({ path, ...change }) => ({ ...change, field: path }))
  return (
    <section className="approval-part" aria-label="Arguments">
      <h3>{changes.length > 0 ? 'Arguments, as approved' : 'Arguments'}</h3>
      <JsonFacts value={argumentsOf(approval)} />
      {changes.length > 0 && (
        <>
          <h3>Changed before it was approved</h3>
          <Changed changes={changes} />
        </>
      )}
    </section>
  )
}

interface EditProps {
  readonly approval: ApprovalDetail
  readonly busy: boolean
  readonly onApprove: (edited: JsonObject | undefined, note: string) => void
  readonly onCancel: () => void
}

/** Other arguments than the agent's: the difference is in sight before anybody approves it. */
export function EditArguments({ approval, busy, onApprove, onCancel }: EditProps) {
  const [value, setValue] = useState(approval.arguments)
  const [note, setNote] = useState('')
  const changes = useMemo(() => differences(approval.arguments, value), [approval.arguments, value])
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => form.current?.querySelector<HTMLElement>('input, textarea, select')?.focus(), [])
  return (
    <form
      ref={form}
      className="approval-part approval-edit"
      aria-label="Edit the arguments"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        const wrong = event.currentTarget.querySelector<HTMLElement>('input:invalid, textarea:invalid, select:invalid')
        if (wrong !== null) wrong.focus()
        else onApprove(changes.length === 0 ? undefined : value, note.trim())
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onCancel()
      }}
    >
      <h3>Edit the arguments</h3>
      <SchemaForm id="argument" schema={approval.parameters ?? {}} value={value} onChange={setValue} />
      {changes.length > 0 && (
        <>
          <h3>Your changes</h3>
          <Changed changes={changes} label="Your changes" />
        </>
      )}
      <TextField
        id="approval-note"
        label="Note (optional)"
        hint="Kept with the request."
        value={note}
        onChange={setNote}
        maxLength={500}
      />
      <div className="approval-actions">
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" variant="primary" icon="check" busy={busy}>
          {changes.length === 0 ? 'Approve unchanged' : 'Approve with changes'}
        </Button>
      </div>
    </form>
  )
}
