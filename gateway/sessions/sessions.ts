// The heart: admits a caller, joins leg and engine for one session, and ends it once, whatever happens.
// Owns the `sessions` collection and the ports Leg and LegPort; never speaks a client's or a provider's protocol.

import type { Capabilities } from '../engines/engines.ts'
import { withDeadline } from '../platform/deadline.ts'
import type { TenantId } from '../platform/ids.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import { Problem } from '../platform/problem.ts'
import type { Page, Receipt, SessionView, UsageOfPerson } from '../protocol/rest.ts'
import type { Turn } from '../protocol/turn.ts'
import { type ActionAnswer, type Outcome, type PageAction, stateOf } from '../tools/tools.ts'
import { closeStale, type JanitorReport } from './janitor.ts'
import { Live, type LiveSession } from './live.ts'
import type { LiveEvent } from './live-event.ts'
import { LiveShare } from './live-share.ts'
import { atBoundary, obeyNodes } from './nodes.ts'
import { openSession } from './opening.ts'
import { joinPeople } from './people.ts'
import type { Opened, OpenRequest, Resumed, ResumeRequest, SessionsDeps } from './request.ts'
import { Returns } from './returns.ts'
import { openSessionStore, type SessionQuery, type SessionStore, sessionCollection } from './store.ts'
import { resumeSession } from './takeover.ts'

export type { Leg, LegEvent, LegPort } from './leg.ts'
export type { LiveEvent } from './live-event.ts'
export type { Opened, OpenRequest, ResumeRequest } from './request.ts'

export const sessionCollections: readonly CollectionSpec[] = [sessionCollection]

export type { SessionsDeps } from './request.ts'

export interface TenantSessions {
  list(query: SessionQuery): Promise<Page<SessionView>>
  get(sessionId: string): Promise<SessionView | undefined>
  turns(sessionId: string): Promise<readonly Turn[]>
  receipt(sessionId: string): Promise<Receipt | undefined>
  /** Throws `not_found`, or `conflict` when it has ended or lives in another process. */
  end(sessionId: string, reason: string): Promise<void>
  /** Usage per person of sessions begun in the range, contacts of one e-mail joined. */
  people(range: { readonly from: Date; readonly to: Date }): Promise<readonly UsageOfPerson[]>
  /**
   * How a call ended that waited for a person. `told`: the agent says it. `elsewhere`: the process that has the session was asked
   * to. `ended`: the session went away before it was said. `gone`: there is no such live session.
   */
  tell(sessionId: string, outcome: Outcome): Promise<'told' | 'elsewhere' | 'ended' | 'gone'>
  watch(listener: (event: LiveEvent) => void): () => void
  /** To all who watch the tenant, in any process; `make` runs only if somebody does. */
  announce(make: () => LiveEvent): void
  /** Asks the page of a session that is here. */
  askPage(action: Omit<PageAction, 'tenantId'>): Promise<ActionAnswer>
}

export interface Sessions {
  /** Throws a Problem when the caller is refused. */
  open(request: OpenRequest): Promise<Opened>
  /**
   * Gives a client its session back, whichever process owned it. Throws `gone` when that is over or the token is none,
   * `not_found` for somebody else's session, `forbidden` for a spent token.
   */
  resume(request: ResumeRequest): Promise<Resumed>
  /** What a browser would speak with the provider of this agent's engine itself. Undefined: all its sound passes here. */
  directDialect(brief: OpenRequest['brief']): Capabilities['dialect'] | undefined
  of(tenantId: TenantId): TenantSessions
  readonly liveCount: number
  readonly draining: boolean
  closeStale(): Promise<JanitorReport>
  start(): void
  /** Hands over what can go on elsewhere, ends the rest at the end of a sentence; resolves when all of it is durable. */
  drain(): Promise<void>
}

/** A revoked key, a suspended tenant or a paused agent is noticed within this. */
const revocationPollMs = 2_000

export function createSessions(deps: SessionsDeps): Sessions {
  const open = deps.hasPeers ? deps.openBus : undefined
  const live = new Live(open === undefined ? undefined : new LiveShare({ ...deps, open }))
  const store = tellingEnds(openSessionStore(deps.db), deps.onEnded)
  const returns = new Returns()
  let draining = false
  let polling: { cancel(): void } | undefined
  let stopObeying: (() => void) | undefined
  const poll = async (): Promise<void> => {
    const all = live.all()
    if (all.length === 0) return
    const pairs = all.map(({ session, credential, agentId }) => ({
      ...{ tenantId: session.options.tenantId, agentId },
      ...credential,
    }))
    const [refused, silent] = await Promise.all([deps.notAllowed(pairs), deps.notAnswering(pairs)])
    for (const { session, credential, agentId } of all) {
      const { tenantId } = session.options
      if (refused.has(`${tenantId}:${credential.keyId}`) || silent.has(`${tenantId}:${agentId}`))
        session.dispatch({ is: 'revoked' })
    }
  }
  return {
    open(request) {
      if (draining) throw new Problem('draining')
      return openSession({ ...deps, live, store }, request)
    },
    resume(request) {
      if (draining) throw new Problem('draining')
      return resumeSession({ ...deps, live, store, returns }, request)
    },
    directDialect(brief) {
      return brief.media === 'direct' ? deps.enginesFor(brief).factories[0]?.direct?.dialect : undefined
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
      stopObeying = obeyNodes({ ...deps, live })
      polling = deps.clock.every(revocationPollMs, () => {
        poll().catch((error: unknown) => deps.log.warn({ err: error }, 'revocation check failed'))
      })
    },
    async drain() {
      draining = true
      await Promise.all(live.all().map((each) => drainOne(deps, each)))
      polling?.cancel()
      stopObeying?.()
      await live.close()
    },
  }
}

async function drainOne(deps: SessionsDeps, { session, leg }: LiveSession): Promise<void> {
  if (!leg.canReturn || leg.staysHere === true) {
    await atBoundary(deps, session, deps.drainMs)
    session.dispatch({ is: 'drain', canReturn: false })
    return session.ended
  }
  if (deps.hasPeers) {
    session.dispatch({ is: 'drain', canReturn: true })
    await withDeadline(session.ended, { timeoutMs: deps.drainMs, clock: deps.clock, fallback: () => undefined })
  }
  // Nobody took it: it waits in the store for its client, or for the janitor.
  session.dispatch({ is: 'release' })
  return session.ended
}

/** The person came back to the conversation, and is here. */
async function tellNext(
  { transcript }: SessionsDeps,
  live: Live,
  of: { readonly tenantId: TenantId; readonly view: SessionView; readonly outcome: Outcome },
): Promise<'told' | 'ended' | 'gone'> {
  const { tenantId, view, outcome } = of
  const { conversationId } = view
  const next = live.all().find((each) => each.conversationId === conversationId && each.session.state === 'live')
  if (next === undefined || next.session.options.tenantId !== tenantId) return 'gone'
  const { callId, output } = outcome
  await transcript.of(tenantId).settleCall({ conversationId, callId }, { output, state: stateOf(outcome) })
  return next.session.tell(outcome)
}

function tenantSessions(
  deps: SessionsDeps & { readonly live: Live; readonly store: SessionStore },
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
      if (view.state === 'ended') throw new Problem('conflict', 'The session has ended.')
      const owner = (await store.resumable(tenantId, sessionId))?.owner
      if (owner === undefined || (await deps.bus.tell(owner, { do: 'end', tenantId, sessionId })) === 0)
        throw new Problem('conflict', 'The process of this session does not answer; it will be closed soon.')
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
    async tell(sessionId, outcome) {
      const here = live.get(tenantId, sessionId)?.session
      if (here !== undefined && here.state !== 'ended') return here.tell(outcome)
      const view = await store.get(tenantId, sessionId)
      if (view === undefined) return 'gone'
      if (view.state === 'ended') return tellNext(deps, live, { tenantId, view, outcome })
      const owner = (await store.resumable(tenantId, sessionId))?.owner
      const { approvalId } = outcome
      if (owner !== undefined && owner !== deps.nodeId)
        await deps.bus.tell(owner, { do: 'outcome', tenantId, sessionId, approvalId })
      return 'elsewhere'
    },
    watch: (listener) => live.watch(tenantId, listener),
    announce: (make) => live.tell(tenantId, make),
    async askPage(action) {
      const here = live.get(tenantId, action.sessionId)?.session
      return here === undefined ? { is: 'no_page' } : here.askPage({ ...action, tenantId })
    },
  }
}

function tellingEnds(store: SessionStore, onEnded: SessionsDeps['onEnded']): SessionStore {
  return {
    ...store,
    async end(tenantId, sessionId, end) {
      const isEnded = await store.end(tenantId, sessionId, end)
      if (isEnded) onEnded?.({ tenantId, sessionId, reason: end.reason })
      return isEnded
    },
  }
}
