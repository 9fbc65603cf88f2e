// One line per screen. A screen is a folder: delete it, its line here and in shell/nav.ts, and it is gone.

import type { QueryClient } from '@tanstack/react-query'
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
  retainSearchParams,
} from '@tanstack/react-router'
import type { Api } from './api/client.ts'
import { isSignedOut } from './api/problem.ts'
import { meQuery } from './api/queries.ts'
import { approvalsSearch } from './screens/approvals/search.ts'
import { toolFilter } from './screens/tools/filter.ts'
import { RouteFailed, RouteMissing } from './shell/route-states.tsx'
import { Shell } from './shell/shell.tsx'

export interface RouterContext {
  readonly api: Api
  readonly queries: QueryClient
}

type ConsoleSearch = { tenant?: string }

const root = createRootRouteWithContext<RouterContext>()({
  validateSearch: (search): ConsoleSearch => (typeof search.tenant === 'string' ? { tenant: search.tenant } : {}),
  search: { middlewares: [retainSearchParams<ConsoleSearch>(['tenant'])] },
  component: Outlet,
  notFoundComponent: RouteMissing,
  errorComponent: RouteFailed,
})

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (search): { back?: string } => (typeof search.back === 'string' ? { back: search.back } : {}),
  component: lazyRouteComponent(() => import('./screens/sign-in/sign-in.tsx'), 'SignIn'),
})

const inside = createRoute({
  getParentRoute: () => root,
  id: 'inside',
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queries.ensureQueryData(meQuery(context.api))
    } catch (error) {
      if (isSignedOut(error)) throw redirect({ to: '/sign-in', search: { back: location.publicHref } })
      throw error
    }
  },
  component: Shell,
  errorComponent: RouteFailed,
})

const live = createRoute({
  getParentRoute: () => inside,
  path: '/',
  component: lazyRouteComponent(() => import('./screens/live/live.tsx'), 'Live'),
})
const history = createRoute({
  getParentRoute: () => inside,
  path: '/history',
  component: lazyRouteComponent(() => import('./screens/history/history.tsx'), 'History'),
})
const session = createRoute({
  getParentRoute: () => inside,
  path: '/sessions/$sessionId',
  component: lazyRouteComponent(() => import('./screens/session/session.tsx'), 'Session'),
})
type ActivitySearch = { agent?: string; conversation?: string }
const activitySearch = (search: Record<string, unknown>): ActivitySearch => ({
  ...(typeof search.agent === 'string' ? { agent: search.agent } : {}),
  ...(typeof search.conversation === 'string' ? { conversation: search.conversation } : {}),
})

const agents = createRoute({
  getParentRoute: () => inside,
  path: '/agents',
  component: lazyRouteComponent(() => import('./screens/agents/agents.tsx'), 'Agents'),
})
const activity = createRoute({
  getParentRoute: () => inside,
  path: '/agents/activity',
  validateSearch: activitySearch,
  component: lazyRouteComponent(() => import('./screens/agents/activity.tsx'), 'Activity'),
})
const agentApprovals = createRoute({
  getParentRoute: () => inside,
  path: '/agents/approvals',
  validateSearch: approvalsSearch,
  component: lazyRouteComponent(() => import('./screens/agents/approvals.tsx'), 'AgentApprovals'),
})
const approvals = createRoute({
  getParentRoute: () => inside,
  path: '/approvals',
  validateSearch: approvalsSearch,
  component: lazyRouteComponent(() => import('./screens/approvals/approvals.tsx'), 'Approvals'),
})
const tools = createRoute({
  getParentRoute: () => inside,
  path: '/tools',
  validateSearch: toolFilter,
  component: lazyRouteComponent(() => import('./screens/tools/tools.tsx'), 'Tools'),
})
const newTool = createRoute({
  getParentRoute: () => inside,
  path: '/tools/new',
  component: lazyRouteComponent(() => import('./screens/tools/editor/editor.tsx'), 'NewTool'),
})
const toolServers = createRoute({
  getParentRoute: () => inside,
  path: '/tools/servers',
  component: lazyRouteComponent(() => import('./screens/tools/servers/servers.tsx'), 'Servers'),
})
const tool = createRoute({
  getParentRoute: () => inside,
  path: '/tools/$name',
  component: lazyRouteComponent(() => import('./screens/tools/tool.tsx'), 'ToolScreen'),
})
const editTool = createRoute({
  getParentRoute: () => inside,
  path: '/tools/$name/edit',
  component: lazyRouteComponent(() => import('./screens/tools/editor/editor.tsx'), 'EditTool'),
})
const knowledge = createRoute({
  getParentRoute: () => inside,
  path: '/knowledge',
  component: lazyRouteComponent(() => import('./screens/knowledge/knowledge.tsx'), 'Knowledge'),
})
const agent = createRoute({
  getParentRoute: () => inside,
  path: '/agents/$agentId',
  component: lazyRouteComponent(() => import('./screens/agents/editor/editor.tsx'), 'AgentEditor'),
})
const team = createRoute({
  getParentRoute: () => inside,
  path: '/team',
  component: lazyRouteComponent(() => import('./screens/team/team.tsx'), 'Team'),
})
const roles = createRoute({
  getParentRoute: () => inside,
  path: '/team/roles',
  validateSearch: (search): { role?: string } => (typeof search.role === 'string' ? { role: search.role } : {}),
  component: lazyRouteComponent(() => import('./screens/team/roles.tsx'), 'Roles'),
})
const account = createRoute({
  getParentRoute: () => inside,
  path: '/account',
  component: lazyRouteComponent(() => import('./screens/account/account.tsx'), 'Account'),
})
type AuditSearch = { actor?: string; ability?: string; from?: string; to?: string; entry?: string }
const auditFields = ['actor', 'ability', 'from', 'to', 'entry'] as const
const audit = createRoute({
  getParentRoute: () => inside,
  path: '/audit',
  validateSearch: (search): AuditSearch =>
    Object.fromEntries(
      auditFields.flatMap((name) => {
        const value = search[name]
        return typeof value === 'string' && value !== '' ? [[name, value]] : []
      }),
    ),
  component: lazyRouteComponent(() => import('./screens/audit/audit.tsx'), 'Audit'),
})
const credits = createRoute({
  getParentRoute: () => inside,
  path: '/credits',
  component: lazyRouteComponent(() => import('./screens/credits/credits.tsx'), 'Credits'),
})
const keys = createRoute({
  getParentRoute: () => inside,
  path: '/keys',
  component: lazyRouteComponent(() => import('./screens/keys/keys.tsx'), 'Keys'),
})

const routeTree = root.addChildren([
  signIn,
  inside.addChildren([
    live,
    history,
    session,
    agents,
    activity,
    agentApprovals,
    approvals,
    agent,
    tools,
    newTool,
    toolServers,
    tool,
    editTool,
    knowledge,
    credits,
    team,
    roles,
    keys,
    audit,
    account,
  ]),
])

export function createConsoleRouter(context: RouterContext) {
  return createRouter({ routeTree, basepath: '/console', context, defaultPreload: 'intent', defaultPendingMs: 400 })
}
