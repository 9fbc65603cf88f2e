import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { RoleDetail } from '../../../gateway/protocol/access.ts'
import { inWords, issuesOf } from '../../api/problem.ts'
import type { PolicyFields } from '../../api/role-calls.ts'
import { useScope } from '../../api/scope.tsx'
import { rolesQuery } from '../../api/team-queries.ts'
import { Button } from '../../ui/button.tsx'
import { RadioCards, SelectField } from '../../ui/choice-fields.tsx'
import { Modal } from '../../ui/modal.tsx'
import { notifyFailed } from '../../ui/notify.ts'
import { NumberField, TextField, wholeNumber } from '../../ui/text-fields.tsx'
import { unknownWord } from '../../ui/words.ts'
import { abilityTable, resourceName } from './abilities.ts'

const blank: PolicyFields = { resource: '*', action: 'read', effect: 'allow', priority: 0, description: '' }

export function PolicyForm({ role, onClose }: { role: RoleDetail; onClose: () => void }) {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  const [policy, setPolicy] = useState(blank)
  const run = useMutation({
    mutationFn: async () => api.roles.give(role.id, (await api.roles.createPolicy(policy)).id),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: [tenant, 'roles'] })
      onClose()
    },
    onError: (error) => {
      if (issuesOf(error).length === 0) notifyFailed(inWords(error))
    },
  })
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (event.currentTarget.checkValidity()) run.mutate()
  }
  const issue = (path: string) => issuesOf(run.error).find((each) => each.path === path)?.message
  return (
    <Modal open onOpenChange={onClose} title={`Policy for ${role.name}`}>
      <form onSubmit={submit} noValidate>
        <Fields policy={policy} change={(part) => setPolicy((old) => ({ ...old, ...part }))} issue={issue} />
        <div className="modal-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" busy={run.isPending}>
            Add policy
          </Button>
        </div>
      </form>
    </Modal>
  )
}

interface FieldsProps {
  readonly policy: PolicyFields
  readonly change: (part: Partial<PolicyFields>) => void
  readonly issue: (path: string) => string | undefined
}

function Fields({ policy, change, issue }: FieldsProps) {
  const roles = useQuery(rolesQuery(useScope())).data
  const table = abilityTable(roles?.find((each) => each.name === 'owner')?.abilities ?? [])
  const { resource } = policy
  const actions = table.actions.filter((action) => resource === '*' || table.has(resource, action))
  return (
    <>
      <RadioCards
        id="policy-effect"
        label="Effect"
        value={policy.effect}
        choices={[
          { value: 'allow', name: 'Allow' },
          { value: 'deny', name: 'Deny' },
        ]}
        onChange={(effect) => change({ effect })}
      />
      <div className="form-pair">
        <SelectField
          id="policy-resource"
          label="On"
          value={resource}
          choices={['*', ...table.resources].map((value) => ({ value, name: resourceName(value) }))}
          onChange={(value) => change({ resource: value, action: '*' })}
          issue={issue('resource')}
        />
        <SelectField
          id="policy-action"
          label="Action"
          value={policy.action}
          choices={['*', ...actions].map((value) => ({
            value,
            name: value === '*' ? 'Everything' : unknownWord(value),
          }))}
          onChange={(action) => change({ action })}
          issue={issue('action')}
        />
        <TextField
          id="policy-kind"
          label="Only on"
          hint="Id of an agent or slug of a type. Empty: all."
          value={policy.kind ?? ''}
          onChange={(kind) => change({ kind: kind === '' ? undefined : kind })}
          maxLength={64}
          mono
          issue={issue('kind')}
        />
        <NumberField
          id="policy-priority"
          label="Priority"
          hint="0 to 100."
          value={policy.priority}
          onChange={(priority) => change({ priority: priority ?? 0 })}
          parse={wholeNumber}
          refusal="A whole number, please."
          required
          issue={issue('priority')}
        />
      </div>
      <TextField
        id="policy-description"
        label="Description"
        value={policy.description}
        onChange={(description) => change({ description })}
        maxLength={200}
        issue={issue('description')}
      />
    </>
  )
}
