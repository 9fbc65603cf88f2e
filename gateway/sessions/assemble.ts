// The parts of one session joined, and what is stored when it ends or is handed over.

import type { Engine, EngineEvent } from '../engines/engines.ts'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { SessionView } from '../protocol/rest.ts'
import type { Turn } from '../protocol/turn.ts'
import type { Admission, UsageSoFar } from '../usage/usage.ts'
import { Budget, type BudgetFacts } from './budget.ts'
import type { CallEvent } from './call.ts'
import { AttentiveEngine } from './ears/attentive-engine.ts'
import { attentionOf } from './ears/settings.ts'
import { EngineEnd, engineEndMs, handOverEndMs } from './engine-end.ts'
import type { Leg } from './leg.ts'
import type { Live } from './live.ts'
import { toolboxOf } from './own-toolbox.ts'
import { ownedWriter } from './owned-writer.ts'
import { PageCalls } from './page-calls.ts'
import { Recorder } from './recorder.ts'
import type { OpenRequest, SessionsDeps } from './request.ts'
import type { ResumeKey } from './resume-token.ts'
import { Session } from './session.ts'
import type { Recovery, SessionOptions, SessionParts } from './session-parts.ts'
import type { Carried, SessionProgress, SessionStore } from './store.ts'
import { Submits } from './submits.ts'

export type Deps = SessionsDeps & { readonly live: Live; readonly store: SessionStore }

/** Who spoke to us in the last half hour is not greeted again: the connection was lost, or the page changed. */
const freshAfterMs = 30 * 60_000

function isFresh(history: readonly Turn[], nowMs: number): boolean {
  const last = history.at(-1)
  return last === undefined || nowMs - Date.parse(last.updatedAt) > freshAfterMs
}

/** What one owner of a session brings together. */
export interface Made {
  readonly history: readonly Turn[]
  readonly request: OpenRequest
  readonly view: SessionView
  /** Of the session document; the hold has an epoch of its own in `admission`. */
  readonly epoch: number
  readonly admission: Admission
  readonly engine: Engine
  readonly serverTools: ReadonlySet<string>
  readonly resume: ResumeKey | undefined
  /** Of a session that comes from another process. */
  readonly before?: Before
}

export interface Before {
  readonly stored: readonly Turn[]
  /** The same with what the owner before left open decided; written under this owner. */
  readonly turns: readonly Turn[]
  readonly used: UsageSoFar
  readonly freeGapMs: number
  readonly aheadMs: number
  readonly recovery: Recovery
}

export interface Assembled {
  readonly session: Session
  readonly budget: Budget
  /** Hears the engine before the session does. */
  readonly engineEnd: EngineEnd
  /** As the session was opened with. */
  readonly facts: SessionView['engine']
  readonly onNotice: SessionParts['onNotice']
  /** Takes the engine's events before the session does. */
  readonly hear: (event: EngineEvent) => void
}

export function assemble(deps: Deps, made: Made): Assembled {
  const { request, view } = made
  const { tenantId, brief, leg } = request
  const log = deps.log.child({ tenantId, sessionId: view.id })
  const { clock, live } = deps
  const recorder = new Recorder({
    clock,
    sessionId: view.id,
    conversationId: view.conversationId,
    channel: view.channel,
    write: ownedWriter(deps, { tenantId, sessionId: view.id, epoch: made.epoch }, () => budget.confirmedAtMs),
    onTurn: (turn) => {
      leg.turn(turn)
      live.tell(tenantId, () => ({ is: 'turn', sessionId: view.id, turn }))
    },
    onFenced: () => session.dispatch({ is: 'fenced' }),
    onStored: (itemIds) => leg.committed(itemIds),
    ...(made.before === undefined ? {} : { before: made.before.stored }),
  })
  mend(recorder, made.before)
  const budget = budgetOf(deps, made, log, {
    dispatch: (event) => session.dispatch(event),
    ...{ state: () => session.state, messages: () => recorder.messages },
    progress: () => progress(),
    carried: () => carriedOf(made, session, budget),
  })
  const engineEnd = new EngineEnd(clock, budget)
  const engine = listen(made, deps.clock, { session: () => session, log })
  const toolbox = toolboxOf(deps, made, { recorder, budget, session: () => session })
  const progress = (): SessionProgress => progressOf({ session, recorder, budget, leg })
  const now = (): SessionView => ({
    ...view,
    // Ended means: settled and stored. Until then it is ending.
    state: session.state === 'ended' ? 'ending' : session.state,
    ...progress(),
    lastSeenAt: new Date(clock.now()).toISOString(),
  })
  const parts: SessionParts = {
    ...{ clock, log, leg, engine, recorder, toolbox, budget, resume: made.resume },
    submits: new Submits({ recorder, history: made.history, leg, toolbox }),
    pageCalls: new PageCalls({ clock, leg }),
    onChange: () => live.tell(tenantId, () => ({ is: 'session', session: now() })),
    onNotice: (code, text) => live.tell(tenantId, () => ({ is: 'notice', sessionId: view.id, code, text })),
    ...endings(deps, made, { engineEnd, budget, progress, carried: () => carriedOf(made, session, budget) }),
  }
  const session: Session = new Session(optionsOf(deps, made), parts)
  live.add(view.id, {
    session,
    credential: {
      keyId: request.keyId,
      ...(request.signingKeyId === undefined ? {} : { signingKeyId: request.signingKeyId }),
    },
    leg,
    resume: made.resume,
    epoch: made.epoch,
    contactId: request.contactId,
    agentId: brief.agentId,
    conversationId: view.conversationId,
    flushed: (timeoutMs) => recorder.settle(timeoutMs),
    view: now,
  })
  live.tell(tenantId, () => ({ is: 'session', session: now() }))
  log.info({ agent: brief.slug, channel: view.channel, ...engineOf(view) }, 'session opened')
  const { onNotice } = parts
  return { session, budget, engineEnd, facts: view.engine, onNotice, hear: (event) => engine.event(event) }
}

function engineOf({ engine: { kind, passedOver } }: SessionView) {
  return { engine: kind, ...(passedOver === undefined ? {} : { passedOver }) }
}

/** The session and its engine hear the person through it. */
function listen(made: Made, clock: Clock, { session, log }: { session: () => Session; log: Log }): AttentiveEngine {
  const { brief, leg, direct } = made.request
  return new AttentiveEngine({
    ...{ clock, leg, engine: made.engine, language: brief.language },
    // Sound that goes past us cannot be judged here.
    settings: direct === undefined ? attentionOf(brief) : { decides: false, filtersEcho: false, nods: [] },
    tell: (event) => session().engineEvent(event),
    takeBack: () => session().talk.takeBack(),
    onVerdict: (verdict) => log.debug({ verdict }, 'speech over the agent was judged'),
  })
}

/** Both wait for the engine's last word first: it may be its bill. */
function endings(
  deps: Deps,
  made: Made,
  last: { engineEnd: EngineEnd; budget: Budget; progress: () => SessionProgress; carried: () => Carried },
): Pick<SessionParts, 'onFinish' | 'onHandOver'> {
  return {
    async onFinish(end) {
      if (end.settle) await last.engineEnd.told(engineEndMs)
      await finish(deps, made, { ...last, end })
    },
    async onHandOver() {
      await last.engineEnd.told(handOverEndMs)
      await handOver(deps, made, last)
    },
  }
}

function mend(recorder: Recorder, before: Before | undefined): void {
  for (const [i, { itemId, state, tool, text, unheard }] of (before?.turns ?? []).entries()) {
    if (before?.stored[i]?.state === state) continue
    if (tool !== undefined) recorder.change(itemId, { state, tool })
    else recorder.change(itemId, unheard === undefined ? { state } : { state, text, unheard })
  }
}

/** A direct call cannot be exchanged behind anybody's back: it is ended before the provider does, with a closing sentence. */
const beforeCapMs = 20_000

function longestMs({ engine, request: { brief } }: Made): number {
  const { media, maxDurationMs } = engine.capabilities
  if (media === 'relayed' || maxDurationMs === null) return brief.limits.maxDurationMs
  return Math.min(brief.limits.maxDurationMs, maxDurationMs - beforeCapMs)
}

function optionsOf(deps: Deps, made: Made): SessionOptions {
  const { request, view, history, before } = made
  const { brief } = request
  const { idleMs } = brief.limits
  const last = history.at(-1)
  const spentMs = (before?.used.seconds ?? 0) * 1000
  return {
    tenantId: request.tenantId,
    sessionId: view.id,
    keyId: request.keyId,
    greeting: isFresh(history, deps.clock.now()) ? brief.greeting : null,
    closing: brief.closing,
    drainMs: deps.drainMs,
    limits: { idleMs, maxDurationMs: Math.max(1, longestMs(made) - spentMs) },
    knownItems: new Set(history.map((turn) => turn.itemId)),
    unansweredItem: last?.role === 'user' ? last.itemId : undefined,
    ...(before === undefined ? {} : { recovery: before.recovery }),
  }
}

/** The budget ends or warns the session; it comes before it, so it is given the session's verbs. */
function budgetOf(
  deps: Deps,
  made: Made,
  log: Log,
  session: {
    dispatch(event: CallEvent): void
    state(): SessionView['state']
    messages(): number
    progress(): SessionProgress
    carried(): Carried
  },
): Budget {
  const { request, view, admission, before } = made
  const { tenantId, brief } = request
  const { agentId, limits } = brief
  const capMicro = limits.sessionCreditsMicro ?? null
  const facts = { tenantId, sessionId: view.id, agentId, channel: view.channel, admission, capMicro }
  let writes = 0
  return new Budget(before === undefined ? facts : { ...facts, ...timeOf(before) }, {
    clock: deps.clock,
    log,
    usage: deps.usage,
    ledger: deps.ledger,
    messages: session.messages,
    store: async () => {
      const state = session.state()
      // The end writes what is to be said.
      if (state === 'ended') return true
      return deps.store.progress(tenantId, view.id, {
        epoch: made.epoch,
        order: ++writes,
        state,
        progress: session.progress(),
        carried: session.carried(),
      })
    },
    isDayOver: async () => (await deps.usage.agentDay({ tenantId, agentId, agentLimits: limits })).is === 'refused',
    onLow: () => session.dispatch({ is: 'creditLow' }),
    onOut: () => session.dispatch({ is: 'creditOut' }),
    onFenced: () => session.dispatch({ is: 'fenced' }),
  })
}

function timeOf({ used, freeGapMs, aheadMs }: Before): Pick<BudgetFacts, 'baseline' | 'freeGapMs' | 'aheadMs'> {
  return { baseline: used, freeGapMs, aheadMs }
}

function progressOf({
  session,
  recorder,
  budget,
  leg,
}: {
  readonly session: Session
  readonly recorder: Recorder
  readonly budget: Budget
  readonly leg: Leg
}): SessionProgress {
  const bill = budget.bill()
  return {
    seconds: budget.seconds,
    tokens: bill.tokens,
    creditsMicro: bill.totalMicro,
    costUsdMicro: bill.costUsdMicro,
    turns: recorder.count,
    interruptions: recorder.interruptions,
    latencyMs: session.talk.latencyMs,
    lastText: recorder.lastText,
    activity: session.activity,
    transport: leg.kind,
  }
}

function carriedOf({ resume, request }: Made, session: Session, budget: Budget): Carried {
  return {
    used: budget.used,
    freeGapMs: budget.freeGapMs,
    aheadMs: budget.aheadMs,
    lastSeq: request.leg.lastSeq,
    voice: session.voiceOn,
    ...(resume === undefined ? {} : { resume: resume.state }),
  }
}

async function handOver(
  deps: Deps,
  { request, view, epoch }: Made,
  last: { budget: Budget; progress: () => SessionProgress; carried: () => Carried },
): Promise<void> {
  const { tenantId } = request
  try {
    await last.budget.lastCheckpoint()
    const carried = { ...last.carried(), frames: request.leg.keptFrames }
    await deps.store.release(tenantId, view.id, { epoch, progress: last.progress(), carried })
  } finally {
    deps.live.remove(view.id, epoch)
    deps.log.info({ tenantId, sessionId: view.id }, 'session handed over')
  }
}

async function finish(
  deps: Deps,
  { request, view, epoch }: Made,
  last: { budget: Budget; progress: () => SessionProgress; end: Parameters<SessionParts['onFinish']>[0] },
): Promise<void> {
  const { tenantId } = request
  const { end } = last
  if (!end.settle) {
    // It lives or was ended elsewhere: slot and state are not ours to tell any more.
    deps.live.remove(view.id, epoch)
    deps.log.warn({ tenantId, sessionId: view.id }, 'session belongs to another process now')
    return
  }
  try {
    const receipt = await last.budget.settle(`session ${end.why}`)
    if (receipt !== undefined) {
      await deps.store.end(tenantId, view.id, {
        reason: end.why,
        progress: { ...last.progress(), creditsMicro: receipt.totalMicro, activity: 'listening' },
        at: new Date(deps.clock.now()),
        // A takeover that died between the session and its hold: our turns are refused, the janitor closes what is open.
        onlyIf: { epoch },
      })
    }
  } finally {
    await deps.usage.release({ tenantId, sessionId: view.id })
    const ended: SessionView = {
      ...view,
      ...last.progress(),
      state: 'ended',
      endReason: end.why,
      endedAt: new Date(deps.clock.now()).toISOString(),
    }
    deps.live.tell(tenantId, () => ({ is: 'session', session: ended }))
    deps.live.remove(view.id, epoch)
    deps.log.info({ tenantId, sessionId: view.id, reason: end.why, seconds: last.progress().seconds }, 'session ended')
  }
}
