import { Link } from '@tanstack/react-router'

export function ToolsTabs() {
  return (
    <nav className="page-tabs" aria-label="Tools">
      <Link to="/tools" activeOptions={{ exact: true, includeSearch: false }}>
        Tools
      </Link>
    </nav>
  )
}
