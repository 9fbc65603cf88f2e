// The heart: admits a caller, joins leg and engine for one session, and ends it once, whatever happens.
// Owns the `sessions` collection and the ports Leg and LegPort; never speaks a client's or a provider's protocol.

import type { TenantId } from '../platform/ids.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import { Problem } from '../platform/problem.ts'
import type { Page, Receipt, SessionView, UsageOfPerson } from '../protocol/rest.ts'
import type { Turn } from '../protocol/turn.ts'
import { closeStale, type JanitorReport } from './janitor.ts'
import { Live, type LiveEvent } from './live.ts'
import { openSession } from './opening.ts'
import { joinPeople } from './people.ts'
import type { Opened, OpenRequest, SessionsDeps } from './request.ts'
import { openSessionStore, sessionCollection } from './store.ts'

export type { Leg, LegPort } from './leg.ts'
export type { LiveEvent } from './live.ts'
export type { Opened, OpenRequest } from './request.ts'

export const sessionCollections: readonly CollectionSpec[] = [sessionCollection]

export interface TenantSessions {
  list(query: {
    readonly state?: 'live' | 'ended'
    readonly cursor?: string
    readonly limit: number
  }): Promise<Page<SessionView>>
  get(sessionId: string): Promise<SessionView | undefined>
  turns(sessionId: string): Promise<readonly Turn[]>
  receipt(sessionId: string): Promise<Receipt | undefined>
  /** Throws `not_found`, or `conflict` when it has ended or lives in another process. */
  end(sessionId: string, reason: string): Promise<void>
  /** Usage per person of sessions begun in the range, contacts of one e-mail joined. */
  people(range: { readonly from: Date; readonly to: Date }): Promise<readonly UsageOfPerson[]>
  watch(listener: (event: LiveEvent) => void): () => void
}

export interface Sessions {
  /** Throws a Problem when the caller is refused. */
  open(request: OpenRequest): Promise<Opened>
  of(tenantId: TenantId): TenantSessions
  readonly liveCount: number
  readonly draining: boolean
  closeStale(): Promise<JanitorReport>
  start(): void
  /** Ends every session of this process; resolves when all ends are durable. */
  drain(): Promise<void>
}

/** A revoked key or suspended tenant is noticed within this. */
const revocationPollMs = 2_000

export function createSessions(deps: SessionsDeps): Sessions {
  const live = new Live()
  const store = openSessionStore(deps.db)
  let draining = false
  let polling: { cancel(): void } | undefined
  const poll = async (): Promise<void> => {
    const all = live.all()
    if (all.length === 0) return
    const pairs = all.map(({ session, credential }) => ({ tenantId: session.options.tenantId, ...credential }))
    const refused = await deps.notAllowed(pairs)
    for (const { session, credential } of all) {
      if (refused.has(`${session.options.tenantId}:${credential.keyId}`)) session.dispatch({ is: 'revoked' })
    }
  }
  return {
    open(request) {
      if (draining) throw new Problem('draining')
      return openSession({ ...deps, live, store }, request)
    },
    of: (tenantId) => tenantSessions({ ...deps, live, store }, tenantId),
    get liveCount() {
      return live.size
    },
    get draining() {
      return draining
    },
    closeStale: () => closeStale({ ...deps, store }),
    start() {
      polling = deps.clock.every(revocationPollMs, () => {
        poll().catch((error: unknown) => deps.log.warn({ err: error }, 'revocation check failed'))
      })
    },
    async drain() {
      draining = true
      const all = live.all()
      for (const { session } of all) session.dispatch({ is: 'drain' })
      await Promise.all(all.map(({ session }) => session.ended))
      polling?.cancel()
    },
  }
}

function tenantSessions(
  deps: SessionsDeps & { readonly live: Live; readonly store: ReturnType<typeof openSessionStore> },
  tenantId: TenantId,
): TenantSessions {
  const { live, store } = deps
  const now = (view: SessionView): SessionView => live.get(tenantId, view.id)?.view() ?? view
  return {
    async list(query) {
      const page = await store.list(tenantId, query)
      return { ...page, items: page.items.map(now) }
    },
    async get(sessionId) {
      const view = await store.get(tenantId, sessionId)
      return view === undefined ? undefined : now(view)
    },
    async turns(sessionId) {
      const here = live.get(tenantId, sessionId)
      return here === undefined ? deps.transcript.of(tenantId).ofSession(sessionId) : here.session.turns
    },
    receipt: (sessionId) => deps.ledger.of(tenantId).receipt(sessionId),
    async end(sessionId, reason) {
      const here = live.get(tenantId, sessionId)
      if (here !== undefined) {
        deps.log.info({ tenantId, sessionId, reason }, 'session ended by an operator')
        here.session.dispatch({ is: 'operatorEnd' })
        return here.session.ended
      }
      const view = await store.get(tenantId, sessionId)
      if (view === undefined) throw new Problem('not_found')
      throw new Problem(
        'conflict',
        view.state === 'ended' ? 'The session has ended.' : 'The session lives in another process.',
      )
    },
    async people(range) {
      const usage = await store.perContact(tenantId, range)
      return joinPeople(
        usage,
        await deps.emailHashes(
          tenantId,
          usage.map((each) => each.contactId),
        ),
      )
    },
    watch: (listener) => live.watch(tenantId, listener),
  }
}
