import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { agentsQuery } from '../../api/agent-queries.ts'
import { issuesOf } from '../../api/problem.ts'
import { useScope } from '../../api/scope.tsx'
import { rolesQuery } from '../../api/team-queries.ts'
import { Button } from '../../ui/button.tsx'
import { RadioCards, SelectField } from '../../ui/choice-fields.tsx'
import { FieldGroup } from '../../ui/field.tsx'
import { Modal } from '../../ui/modal.tsx'
import { TextField } from '../../ui/text-fields.tsx'
import type { KeyForm, RightsKind } from './key-rights.ts'
import { ScopeList } from './scope-list.tsx'

interface ApiKeyFormProps {
  readonly title: string
  readonly action: string
  readonly start: KeyForm
  /** The role of a key stays what it is. */
  readonly fixedRole?: boolean
  readonly busy: boolean
  readonly error: unknown
  readonly onClose: () => void
  readonly onSubmit: (form: KeyForm) => void
}

export function ApiKeyForm({ title, action, start, fixedRole, busy, error, onClose, onSubmit }: ApiKeyFormProps) {
  const [form, setForm] = useState(start)
  const change = (part: Partial<KeyForm>) => setForm((old) => ({ ...old, ...part }))
  const issue = (path: string) => issuesOf(error).find((each) => each.path.startsWith(path))?.message
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onSubmit(form)
  }
  return (
    <Modal open onOpenChange={onClose} title={title} wide>
      <form onSubmit={submit}>
        <TextField
          id="key-label"
          label="Label"
          value={form.label}
          onChange={(label) => change({ label })}
          placeholder="Booking backend"
          maxLength={80}
          required
          issue={issue('label')}
        />
        <Rights form={form} change={change} fixedRole={fixedRole === true} issue={issue} />
        <Agents form={form} change={change} />
        <TextField
          id="key-expires"
          label="Works until"
          hint="The end of this day in UTC. Empty: until it is revoked."
          type="date"
          value={form.expires}
          onChange={(expires) => change({ expires })}
          issue={issue('expiresAt')}
        />
        <div className="modal-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            variant="primary"
            busy={busy}
            disabled={form.rights === 'scopes' && form.scopes.length === 0}
          >
            {action}
          </Button>
        </div>
      </form>
    </Modal>
  )
}

interface PartProps {
  readonly form: KeyForm
  readonly change: (part: Partial<KeyForm>) => void
}

const kinds: readonly { value: RightsKind; name: string; note: string }[] = [
  { value: 'usual', name: 'As usual', note: 'Conversations, sessions and records; no settings.' },
  { value: 'scopes', name: 'Chosen', note: 'Exactly what you tick.' },
  { value: 'role', name: 'A role', note: 'What the role gives, also when it changes.' },
]

interface RightsProps extends PartProps {
  readonly fixedRole: boolean
  readonly issue: (path: string) => string | undefined
}

function Rights({ form, change, fixedRole, issue }: RightsProps) {
  const roles = useQuery(rolesQuery(useScope())).data ?? []
  const own = roles.filter((role) => role.name !== 'owner').map(({ name }) => ({ value: name, name }))
  if (fixedRole && form.rights === 'role')
    return (
      <p className="form-fixed">
        It may do what the role <strong>{form.role}</strong> gives. For something else, make a new key.
      </p>
    )
  return (
    <>
      {!fixedRole && (
        <RadioCards
          id="key-rights"
          label="What it may do"
          value={form.rights}
          choices={kinds}
          onChange={(rights) => change({ rights, role: form.role || (own[0]?.value ?? '') })}
        />
      )}
      {form.rights === 'role' && (
        <SelectField
          id="key-role"
          label="Role"
          value={form.role}
          choices={own}
          onChange={(role) => change({ role })}
          issue={issue('role')}
        />
      )}
      {form.rights === 'scopes' && (
        <ScopeList chosen={form.scopes} onChange={(scopes) => change({ scopes })} issue={issue('scopes')} />
      )}
    </>
  )
}

function Agents({ form, change }: PartProps) {
  const agents = useQuery(agentsQuery(useScope())).data ?? []
  if (agents.length === 0) return null
  const toggle = (id: string, on: boolean) =>
    change({ agentIds: on ? [...form.agentIds, id] : form.agentIds.filter((each) => each !== id) })
  return (
    <FieldGroup id="key-agents" label="Only for these agents" hint="None ticked: for every agent.">
      <div className="tick-list">
        {agents.map((agent) => (
          <label key={agent.id}>
            <input
              type="checkbox"
              checked={form.agentIds.includes(agent.id)}
              onChange={(event) => toggle(agent.id, event.target.checked)}
            />
            {agent.name}
          </label>
        ))}
      </div>
    </FieldGroup>
  )
}
