import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import type { RoleView } from '../../../gateway/protocol/access.ts'
import { Allowed, useScope } from '../../api/scope.tsx'
import { rolesQuery } from '../../api/team-queries.ts'
import { Button } from '../../ui/button.tsx'
import { useHotkeys } from '../../ui/hotkey-context.tsx'
import { Page } from '../../ui/page.tsx'
import { Empty, Loading, ProblemBox } from '../../ui/states.tsx'
import { NewRole } from './new-role.tsx'
import { Role } from './role.tsx'
import { roleName } from './role-names.ts'
import { TeamTabs } from './team-tabs.tsx'
import './team.css'
import './roles.css'

const route = getRouteApi('/inside/team/roles')

export function Roles() {
  const scope = useScope()
  const roles = useQuery(rolesQuery(scope))
  const asked = route.useSearch().role
  const [adding, setAdding] = useState(false)
  useHotkeys(useMemo(() => ({ n: () => setAdding(true) }), []))
  const shown = roles.data?.find((role) => role.id === asked) ?? (asked === undefined ? roles.data?.[0] : undefined)
  return (
    <Page
      title="Team"
      name={`Roles · ${scope.chosen.name}`}
      aside={<TeamTabs />}
      actions={
        <Allowed to="roles.write">
          <Button variant="primary" icon="plus" onClick={() => setAdding(true)}>
            New role
          </Button>
        </Allowed>
      }
      fill
    >
      {roles.isPending && <Loading rows={8} label="Loading roles" />}
      {roles.isError && <ProblemBox error={roles.error} onRetry={() => void roles.refetch()} />}
      {roles.isSuccess && (
        <div className="roles-columns">
          <RoleList roles={roles.data} shown={shown?.id} />
          {shown === undefined ? (
            <Empty icon="shield" title="There is no such role">
              <p>It was removed. Choose another one.</p>
            </Empty>
          ) : (
            <Role key={shown.id} role={shown} all={roles.data} />
          )}
        </div>
      )}
      {adding && <NewRole onClose={() => setAdding(false)} />}
    </Page>
  )
}

function RoleList({ roles, shown }: { roles: readonly RoleView[]; shown: string | undefined }) {
  return (
    <nav className="role-nav" aria-label="Roles">
      {roles.map((role) => (
        <Link
          key={role.id}
          to="/team/roles"
          search={(old) => ({ ...old, role: role.id })}
          data-shown={role.id === shown || undefined}
        >
          <span>{roleName(role.name)}</span>
          <small>{role.builtin ? 'every tenant' : 'own'}</small>
        </Link>
      ))}
    </nav>
  )
}
