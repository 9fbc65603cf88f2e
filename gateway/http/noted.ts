// What is written down of a request: who did what to whom, before the answer goes out. An entry is begun before the change,
// so that a process that dies in between leaves the trace of it; the outcome follows. Bodies are never written.

import type { Audit, AuditOutcome } from '../identity/identity.ts'
import type { Actor } from '../platform/access.ts'
import type { RequestFacts, Route, RouteReply } from '../platform/http.ts'
import type { TenantId } from '../platform/ids.ts'
import type { Log } from '../platform/log.ts'
import { asProblem } from '../platform/problem.ts'
import type { Caller } from './auth.ts'

/** A change by HTTP that was made. */
export interface Change {
  readonly tenantId: TenantId
  readonly actor: Actor
  /** `roles`, `team-invitations`: the fixed words of the path. */
  readonly resource: string
  /** `created`, `updated`, `deleted`, or the verb that ends the path. */
  readonly action: string
  /** Of what was changed or made; null where nothing names it. */
  readonly id: string | null
  readonly at: Date
}

export type Noting = (
  run: () => Promise<{ readonly answer: RouteReply; readonly status: number }>,
) => Promise<RouteReply>

export interface NotedDeps {
  readonly audit: Audit
  readonly log: Log
  /** Told of every change before its answer goes out. One that fails is logged and changes nothing of the answer. */
  readonly onChange?: ((change: Change) => Promise<void>) | undefined
}

export interface Noted {
  readonly route: Route
  readonly facts: RequestFacts
  readonly caller: Caller
  readonly params: Readonly<Record<string, string>>
}

/** Undefined tenant: nothing is anybody's. `GET` is noted where the route says so. */
export function isNoted(route: Route): boolean {
  const isTenants = route.access !== 'public' && route.access !== 'operator'
  return isTenants && (route.method !== 'GET' || route.audit === 'always')
}

/** A refusal before anything was done. */
export async function noteRefusal(deps: NotedDeps, noted: Noted): Promise<void> {
  const entry = entryOf(noted)
  if (entry === undefined) return
  const outcome = { outcome: 'refused', status: 403, code: 'forbidden' } as const
  await deps.audit.of(entry.tenantId).record({ ...entry.entry, ...outcome })
}

export function noting(deps: NotedDeps, noted: Noted): Noting {
  const known = noted.route.audit === 'refusals' ? undefined : entryOf(noted)
  if (known === undefined) return async (run) => (await run()).answer
  const { tenantId, entry } = known
  const audit = deps.audit.of(tenantId)
  return async (run) => {
    // Without its entry nothing is changed.
    const id = await audit.begin(entry)
    const end = (outcome: AuditOutcome, target: string | null): Promise<void> =>
      audit.end(id, { ...outcome, target }).catch((error: unknown) => {
        deps.log.error({ err: error, entry: id }, 'the outcome of an audit entry was not written: it stands as begun')
      })
    try {
      const { answer, status } = await run()
      const target = entry.target ?? madeId(answer)
      await end({ outcome: 'done', status, code: null }, target)
      if (noted.route.method !== 'GET')
        await tell(deps, changeOf(noted.route, { tenantId, target, actor: entry.actor }))
      return answer
    } catch (thrown) {
      const problem = asProblem(thrown)
      const outcome = problem.kind.http === 403 ? 'refused' : 'failed'
      await end({ outcome, status: problem.kind.http, code: problem.code }, entry.target)
      throw thrown
    }
  }
}

async function tell({ onChange, log }: NotedDeps, change: Change): Promise<void> {
  try {
    await onChange?.(change)
  } catch (error) {
    log.error({ err: error, resource: change.resource, action: change.action }, 'the event of a change was not written')
  }
}

function entryOf({ route, facts, caller, params }: Noted) {
  const { tenantId, actor } = caller
  if (tenantId === undefined || actor === undefined || !isNoted(route)) return undefined
  const names = route.path.split('/').flatMap((part) => (part.startsWith(':') ? [part.slice(1)] : []))
  const last = names.at(-1)
  const target = last === undefined ? null : (params[last] ?? null)
  const { method, path, access: ability } = route
  return { tenantId, entry: { actor, ability, method, route: path, target, ip: facts.ip } }
}

/** What a route that makes something answers with. */
function madeId({ json }: RouteReply): string | null {
  if (typeof json !== 'object' || json === null) return null
  const id: unknown = Reflect.get(json, 'id')
  return typeof id === 'string' ? id.slice(0, 128) : null
}

const plain = { PUT: 'updated', PATCH: 'updated', DELETE: 'deleted', GET: 'read', POST: 'created' } as const

/** `/v1/agents/:id/deploy` → agents, deploy; `/v1/team/invitations` → team-invitations, created. */
export function changeOf(
  { method, path }: Pick<Route, 'method' | 'path'>,
  of: { readonly tenantId: TenantId; readonly actor: Actor; readonly target: string | null },
): Change {
  const parts = path.split('/').filter((each) => each !== '' && each !== 'v1')
  const verb = method === 'POST' && parts.at(-2)?.startsWith(':') === true ? parts.at(-1) : undefined
  const words = (verb === undefined ? parts : parts.slice(0, -1)).filter((each) => !each.startsWith(':'))
  return {
    ...{ tenantId: of.tenantId, actor: of.actor, id: of.target },
    resource: words.join('-'),
    action: verb ?? plain[method],
    at: new Date(),
  }
}
