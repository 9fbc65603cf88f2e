import { Link } from '@tanstack/react-router'

export function TeamTabs() {
  return (
    <nav className="page-tabs" aria-label="Team">
      <Link to="/team" activeOptions={{ exact: true, includeSearch: false }}>
        People
      </Link>
      <Link to="/team/roles" activeOptions={{ includeSearch: false }}>
        Roles
      </Link>
    </nav>
  )
}
