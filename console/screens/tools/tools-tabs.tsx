import { Link } from '@tanstack/react-router'

export function ToolsTabs() {
  return (
    <nav className="page-tabs" aria-label="Tools">
      <Link to="/tools" activeOptions={{ exact: true, includeSearch: false }}>
        Tools
      </Link>
      <Link to="/tools/servers" activeOptions={{ includeSearch: false }}>
        MCP servers
      </Link>
    </nav>
  )
}
