import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from 'react'
import { LiveProvider } from '../api/live.tsx'
import { meQuery } from '../api/queries.ts'
import { type ConsoleScope, ScopeContext, useMay, useScope } from '../api/scope.tsx'
import { useWaitingCount } from '../api/use-waiting-count.ts'
import { useHotkeys } from '../ui/hotkey-context.tsx'
import { Icon } from '../ui/icon.tsx'
import { Empty } from '../ui/states.tsx'
import { AccountMenu } from './account-menu.tsx'
import { chooseTenant } from './choose-tenant.ts'
import { LivePill } from './live-pill.tsx'
import { navFor } from './nav.ts'
import { rememberedTenant, rememberTenant } from './preferences.ts'
import { TenantSwitcher, tenantStyle } from './tenant-switcher.tsx'
import './shell.css'

const Help = lazy(() => import('./help.tsx').then((module) => ({ default: module.Help })))
const inside = getRouteApi('/inside')

/** Everything behind the sign-in: scope, live socket, navigation. */
export function Shell() {
  const { api } = inside.useRouteContext()
  const asked = inside.useSearch().tenant
  const operator = useQuery(meQuery(api)).data
  const scope = useMemo((): ConsoleScope | undefined => {
    const chosen = operator && chooseTenant(operator.tenants, asked, rememberedTenant())
    if (operator === undefined || chosen === undefined) return undefined
    return { whole: api, operator, chosen, tenant: chosen.slug, api: api.of(chosen.slug) }
  }, [api, operator, asked])
  if (operator === undefined) return null
  if (scope === undefined) return <NoTenant name={operator.name} />
  return (
    <ScopeContext value={scope}>
      <LiveProvider key={scope.tenant} tenant={scope.tenant}>
        <Frame asked={asked} />
      </LiveProvider>
    </ScopeContext>
  )
}

function Frame({ asked }: { asked: string | undefined }) {
  const { tenant, chosen } = useScope()
  const [help, setHelp] = useState(false)
  const navigate = useNavigate()
  useEffect(() => {
    rememberTenant(tenant)
    // The address names the tenant, so that a copied link means the same to somebody else.
    if (asked !== tenant) void navigate({ to: '.', search: (old) => ({ ...old, tenant }), replace: true })
  }, [tenant, asked, navigate])
  const bindings = useMemo(() => {
    const jumps = navFor((ability) => chosen.abilities.includes(ability)).map(
      (item) => [item.keys, () => void navigate({ to: item.to })] as const,
    )
    return { ...Object.fromEntries(jumps), '?': () => setHelp(true) }
  }, [navigate, chosen])
  useHotkeys(bindings)
  return (
    <div className="shell" style={tenantStyle(tenant)}>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className="side">
        <TenantSwitcher />
        <Navigation />
        <div className="side-foot">
          <LivePill />
          <AccountMenu onHelp={() => setHelp(true)} />
        </div>
      </header>
      <Outlet />
      {help && (
        <Suspense>
          <Help open={help} onOpenChange={setHelp} />
        </Suspense>
      )}
    </div>
  )
}

function Navigation() {
  const may = useMay()
  const nav = useRef<HTMLElement>(null)
  const { pathname } = useLocation()
  useEffect(() => {
    // On a phone the row is longer than the screen.
    if (pathname !== '')
      nav.current?.querySelector('[aria-current="page"]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [pathname])
  return (
    <nav className="nav" aria-label="Console" ref={nav}>
      {navFor(may).map((item) => (
        <Link
          key={item.to}
          data-keys={item.keys}
          to={item.to}
          activeOptions={{ exact: item.to === '/', includeSearch: false }}
        >
          <Icon name={item.icon} />
          <span className="nav-long">{item.name}</span>
          <span className="nav-short">{'short' in item ? item.short : item.name}</span>
          {item.to === '/approvals' && <WaitingCount />}
        </Link>
      ))}
    </nav>
  )
}

/** How many requests wait for somebody; told to a screen reader when it changes. */
function WaitingCount() {
  const waiting = useWaitingCount()
  return (
    <span role="status" className="nav-count" hidden={waiting === 0}>
      {waiting > 0 && waiting}
      <span className="sr"> waiting</span>
    </span>
  )
}

function NoTenant({ name }: { name: string }) {
  return (
    <main className="alone">
      <Empty icon="key" title="No tenant yet">
        <p>{name} has no role in any tenant of this gateway. Ask an owner to add you, then reload.</p>
      </Empty>
    </main>
  )
}
