import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { AssignmentView, RoleView } from '../../../gateway/protocol/access.ts'
import { agentsQuery } from '../../api/agent-queries.ts'
import { inWords } from '../../api/problem.ts'
import { Allowed, useScope } from '../../api/scope.tsx'
import { assignmentsQuery, membersQuery } from '../../api/team-queries.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { type Choice, SelectField } from '../../ui/choice-fields.tsx'
import { Modal } from '../../ui/modal.tsx'
import { notifyFailed } from '../../ui/notify.ts'
import { Section } from '../../ui/page.tsx'
import { ProblemBox } from '../../ui/states.tsx'
import { TextField } from '../../ui/text-fields.tsx'
import { roleName } from './role-names.ts'

type Family = AssignmentView['scope']['of']
const families: readonly Choice<Family>[] = [
  { value: 'agent', name: 'One agent' },
  { value: 'entity-type', name: 'One type of entities' },
  { value: 'object-type', name: 'One type of objects' },
]

/** Who has the role for one thing only. */
export function RoleAssignments({ role }: { role: RoleView }) {
  const scope = useScope()
  const assignments = useQuery(assignmentsQuery(scope))
  const [adding, setAdding] = useState(false)
  const own = assignments.data?.filter((each) => each.role === role.name) ?? []
  return (
    <Section
      title="For one thing only"
      note="People who have this role for one agent or one type, beside those who have it for everything."
      actions={
        <Allowed to="roles.write">
          <Button icon="plus" onClick={() => setAdding(true)}>
            Give it to somebody
          </Button>
        </Allowed>
      }
    >
      {assignments.isError && <ProblemBox error={assignments.error} onRetry={() => void assignments.refetch()} />}
      {assignments.isSuccess && own.length === 0 && <p className="quiet">Nobody.</p>}
      {own.length > 0 && (
        <ul className="people" aria-label="People with this role for one thing">
          {own.map((assignment) => (
            <Assignment key={assignment.id} assignment={assignment} />
          ))}
        </ul>
      )}
      {adding && <AssignForm role={role} onClose={() => setAdding(false)} />}
    </Section>
  )
}

function Assignment({ assignment }: { assignment: AssignmentView }) {
  const scope = useScope()
  const queries = useQueryClient()
  const members = useQuery(membersQuery(scope)).data
  const agents = useQuery(agentsQuery(scope)).data
  const who = members?.find((member) => member.id === assignment.operatorId)?.name ?? assignment.operatorId
  const { of, id } = assignment.scope
  const what = of === 'agent' ? (agents?.find((agent) => agent.id === id)?.name ?? id) : id
  const remove = useMutation({
    mutationFn: () => scope.api.roles.removeAssignment(assignment.id),
    onError: (error) => notifyFailed(inWords(error)),
    onSettled: () => queries.invalidateQueries({ queryKey: [scope.tenant, 'roles'] }),
  })
  return (
    <li className="policy">
      <strong>{who}</strong>
      <span>
        {families.find((each) => each.value === of)?.name}: {what}
      </span>
      <span />
      <Allowed to="roles.write">
        <IconButton
          icon="close"
          label={`Take it away from ${who}`}
          disabled={remove.isPending}
          onClick={() => remove.mutate()}
        />
      </Allowed>
    </li>
  )
}

function AssignForm({ role, onClose }: { role: RoleView; onClose: () => void }) {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  const { people, agents } = useChoices()
  const [operatorId, setOperator] = useState<string>()
  const [of, setFamily] = useState<Family>('agent')
  const [id, setId] = useState<string>()
  const person = operatorId ?? people[0]?.value ?? ''
  const thing = id ?? (of === 'agent' ? agents[0]?.value : undefined) ?? ''
  const run = useMutation({
    mutationFn: () => api.roles.assign({ operatorId: person, role: role.name, scope: { of, id: thing } }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: [tenant, 'roles'] })
      onClose()
    },
    onError: (error) => notifyFailed(inWords(error)),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    run.mutate()
  }
  return (
    <Modal open onOpenChange={onClose} title={`${roleName(role.name)} for one thing`}>
      <form onSubmit={submit}>
        <SelectField id="assign-person" label="Person" value={person} choices={people} onChange={setOperator} />
        <SelectField
          id="assign-family"
          label="For"
          value={of}
          choices={families}
          onChange={(family) => {
            setFamily(family)
            setId(undefined)
          }}
        />
        {of === 'agent' ? (
          <SelectField id="assign-agent" label="Agent" value={thing} choices={agents} onChange={setId} />
        ) : (
          <TextField id="assign-type" label="Slug of the type" value={thing} onChange={setId} required mono />
        )}
        <div className="modal-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" busy={run.isPending} disabled={person === '' || thing === ''}>
            Give the role
          </Button>
        </div>
      </form>
    </Modal>
  )
}

function useChoices() {
  const scope = useScope()
  const members = useQuery(membersQuery(scope)).data ?? []
  const agents = useQuery(agentsQuery(scope)).data ?? []
  return {
    people: members.map(({ id, name }) => ({ value: id, name })),
    agents: agents.map(({ id, name }) => ({ value: id, name })),
  }
}
