import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { RoleView } from '../../../gateway/protocol/access.ts'
import { inWords } from '../../api/problem.ts'
import { Allowed, useScope } from '../../api/scope.tsx'
import { roleQuery } from '../../api/team-queries.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/confirm.tsx'
import { notifyDone, notifyFailed } from '../../ui/notify.ts'
import { Section } from '../../ui/page.tsx'
import { ProblemBox } from '../../ui/states.tsx'
import { AbilityMatrix } from './ability-matrix.tsx'
import { RoleAssignments } from './role-assignments.tsx'
import { roleName, roleNote } from './role-names.ts'
import { RolePolicies } from './role-policies.tsx'
import { RowsAndFields } from './rows-and-fields.tsx'

/** One role: what it allows, on which rows, with which fields, and who has it for one thing only. */
export function Role({ role, all }: { role: RoleView; all: readonly RoleView[] }) {
  const detail = useQuery(roleQuery(useScope(), role.id))
  return (
    <div className="role" data-role={role.name}>
      <header className="role-head">
        <div>
          <h2>{roleName(role.name)}</h2>
          <p className="quiet">{role.description || roleNote(role.name)}</p>
        </div>
        {!role.builtin && <RemoveRole role={role} />}
      </header>
      {detail.isError && <ProblemBox error={detail.error} onRetry={() => void detail.refetch()} />}
      <AbilityMatrix role={role} detail={detail.data} all={all} />
      {!role.builtin && detail.isSuccess && (
        <>
          <RolePolicies role={detail.data} />
          <RowsAndFields role={detail.data} all={all} />
        </>
      )}
      {role.name !== 'service' && <RoleAssignments role={role} />}
      {role.builtin && (
        <Section title="Fixed">
          <p className="quiet">Every tenant has this role as it is. For something else, make a role of your own.</p>
        </Section>
      )}
    </div>
  )
}

function RemoveRole({ role }: { role: RoleView }) {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const [asking, setAsking] = useState(false)
  const run = useMutation({
    mutationFn: () => api.roles.remove(role.id),
    onSuccess: async () => {
      await navigate({ to: '/team/roles', search: ({ role: _, ...rest }) => rest })
      await queries.invalidateQueries({ queryKey: [tenant, 'roles'] })
      notifyDone(`The role ${role.name} is removed.`)
    },
    onError: (error) => notifyFailed(inWords(error)),
    onSettled: () => setAsking(false),
  })
  return (
    <>
      <Allowed to="roles.write">
        <Button variant="danger" onClick={() => setAsking(true)}>
          Remove role
        </Button>
      </Allowed>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={`Remove the role ${role.name}?`}
        text="Only a role that nobody has can be removed."
        action="Remove"
        danger
        busy={run.isPending}
        onConfirm={() => run.mutate()}
      />
    </>
  )
}
