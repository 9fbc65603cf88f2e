import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { PolicyView, RoleDetail } from '../../../gateway/protocol/access.ts'
import { inWords } from '../../api/problem.ts'
import { Allowed, useScope } from '../../api/scope.tsx'
import { Button, IconButton } from '../../ui/button.tsx'
import { notifyFailed } from '../../ui/notify.ts'
import { Section } from '../../ui/page.tsx'
import { Pill } from '../../ui/pill.tsx'
import { resourceName } from './abilities.ts'
import { PolicyForm } from './policy-form.tsx'

export function RolePolicies({ role }: { role: RoleDetail }) {
  const [adding, setAdding] = useState(false)
  return (
    <Section
      title="Policies"
      note="A denial beats what allows at its own priority and below."
      actions={
        <Allowed to="roles.write">
          <Button icon="plus" onClick={() => setAdding(true)}>
            Add a policy
          </Button>
        </Allowed>
      }
    >
      {role.policies.length === 0 ? (
        <p className="quiet">None: the role allows nothing.</p>
      ) : (
        <ul className="people" aria-label="Policies of the role">
          {role.policies.map((policy) => (
            <Policy key={policy.id} role={role} policy={policy} />
          ))}
        </ul>
      )}
      {adding && <PolicyForm role={role} onClose={() => setAdding(false)} />}
    </Section>
  )
}

function Policy({ role, policy }: { role: RoleDetail; policy: PolicyView }) {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  const take = useMutation({
    mutationFn: () => api.roles.take(role.id, policy.id),
    onError: (error) => notifyFailed(inWords(error)),
    onSettled: () => queries.invalidateQueries({ queryKey: [tenant, 'roles'] }),
  })
  const words = `${resourceName(policy.resource)}: ${policy.action === '*' ? 'everything' : policy.action}`
  return (
    <li className="policy" data-policy={policy.id}>
      <Pill tone={policy.effect === 'allow' ? 'good' : 'bad'}>{policy.effect === 'allow' ? 'Allow' : 'Deny'}</Pill>
      <span>
        {words}
        {policy.kind !== undefined && (
          <>
            {' '}
            on <code>{policy.kind}</code> only
          </>
        )}
        {policy.description !== '' && <small>{policy.description}</small>}
      </span>
      <span className="quiet number">priority {policy.priority}</span>
      <Allowed to="roles.write">
        <IconButton
          icon="close"
          label={`Take away: ${words}`}
          disabled={take.isPending}
          onClick={() => take.mutate()}
        />
      </Allowed>
    </li>
  )
}
