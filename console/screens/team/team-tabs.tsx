import { Link } from '@tanstack/react-router'
import { Allowed } from '../../api/scope.tsx'

export function TeamTabs() {
  return (
    <nav className="page-tabs" aria-label="Team">
      <Link to="/team" activeOptions={{ exact: true, includeSearch: false }}>
        People
      </Link>
      <Allowed to="roles.read">
        <Link to="/team/roles" activeOptions={{ includeSearch: false }}>
          Roles
        </Link>
      </Allowed>
    </nav>
  )
}
