// From a caller to a running session: conversation, engine, admission, parts.

import type { Engine, EngineEvent, EngineFactory } from '../engines/engines.ts'
import { withDeadline } from '../platform/deadline.ts'
import { newId } from '../platform/ids.ts'
import type { Log } from '../platform/log.ts'
import { Problem } from '../platform/problem.ts'
import type { SessionView } from '../protocol/rest.ts'
import type { Turn } from '../protocol/turn.ts'
import type { Admission } from '../usage/usage.ts'
import { Budget } from './budget.ts'
import type { CallEvent } from './call.ts'
import type { Live } from './live.ts'
import { Recorder } from './recorder.ts'
import type { Opened, OpenRequest, SessionsDeps } from './request.ts'
import { Session, type SessionParts } from './session.ts'
import type { SessionProgress, SessionStore } from './store.ts'
import { Toolbox } from './toolbox.ts'

/** Turns of the conversation that seed the engine and greet the client. */
const historyTurns = 20
const flushMs = 1_000

type Deps = SessionsDeps & { readonly live: Live; readonly store: SessionStore }

export async function openSession(deps: Deps, request: OpenRequest): Promise<Opened> {
  const { tenantId, brief } = request
  const factory = deps.engineFor(brief)
  if (!('open' in factory)) throw new Problem('engine_refused', undefined, { cause: factory.off })
  const transcript = deps.transcript.of(tenantId)
  const sessionId = newId('sess')
  const preparing = Promise.all([
    transcript.conversation({ agentId: brief.agentId, contactId: request.contactId }).then(async (id) => {
      await deps.live.flushed(id, flushMs)
      return { id, history: await transcript.ofConversation(id, historyTurns) }
    }),
    deps.tools.brief(tenantId, brief.tools),
  ])
  // Told below; until then a failure must not count as unhandled.
  preparing.catch(() => undefined)
  const admission = await admit(deps, request, { sessionId, engine: factory.kind })
  try {
    const [{ id: conversationId, history }, tools] = await preparing
    const view = await deps.store.create(
      tenantId,
      {
        sessionId,
        agent: { id: brief.agentId, slug: brief.slug, name: brief.name },
        conversationId,
        contactId: request.contactId,
        channel: request.channel,
        keyId: request.keyId,
        engine: engineFacts(factory, brief.model),
        owner: deps.nodeId,
        epoch: admission.epoch,
        holdId: admission.holdId,
        price: admission.price,
      },
      new Date(deps.clock.now()),
    )
    const serverTools = new Set(tools.map((tool) => tool.name))
    let session: Session | undefined
    const engine = factory.open({
      tenantId,
      sessionId,
      onEvent: (event: EngineEvent) => session?.engineEvent(event),
      brief: {
        instructions: brief.instructions,
        voice: brief.voice,
        language: brief.language,
        model: brief.model === '' ? factory.defaultModel : brief.model,
        tools,
        outputModality: request.outputModality,
        turnDetection: 'server_vad',
        history: seed(history),
      },
    })
    session = assemble(deps, { request, view, admission, engine, serverTools, history })
    const opened = session
    return {
      sessionId,
      conversationId,
      history,
      engine: { ...view.engine, capabilities: engine.capabilities },
      serverTools: tools,
      port: opened,
      start: () => opened.start(),
    }
  } catch (error) {
    await undo(deps, request, sessionId, admission)
    throw error
  }
}

function engineFacts(factory: EngineFactory, model: string): SessionView['engine'] {
  return { kind: factory.kind, model: model === '' ? factory.defaultModel : model, demo: factory.kind === 'demo' }
}

function seed(history: readonly Turn[]): { role: 'user' | 'agent'; text: string }[] {
  return history.flatMap((turn) =>
    (turn.role === 'user' || turn.role === 'agent') && turn.text !== '' ? [{ role: turn.role, text: turn.text }] : [],
  )
}

/** A store that hangs must not keep a caller waiting: he is refused, and what is admitted too late is given back. */
const admitMs = 8_000

async function admit(
  deps: Deps,
  request: OpenRequest,
  facts: { sessionId: string; engine: string },
): Promise<Admission> {
  let late = false
  const admitting = deps.usage
    .admit({
      tenantId: request.tenantId,
      plan: request.plan,
      agentId: request.brief.agentId,
      sessionId: facts.sessionId,
      channel: request.channel,
      engine: facts.engine,
      ...(request.brief.model === '' ? {} : { model: request.brief.model }),
      ip: request.ip,
      keyId: request.keyId,
      owner: deps.nodeId,
    })
    .then((answer) => {
      if (late && answer.is === 'admitted') void undo(deps, request, facts.sessionId, answer.admission)
      return answer
    })
  const answer = await withDeadline(admitting, {
    timeoutMs: admitMs,
    clock: deps.clock,
    fallback: () => {
      late = true
      return undefined
    },
  })
  if (answer === undefined) throw new Problem('unavailable', undefined, { retryAfterMs: admitMs })
  if (answer.is === 'refused') throw new Problem(answer.code, undefined, { retryAfterMs: answer.retryAfterMs })
  return answer.admission
}

/** Admitted, but the session could not be made: nothing may stay behind. What fails here is the janitor's. */
async function undo(deps: Deps, request: OpenRequest, sessionId: string, admission: Admission): Promise<void> {
  try {
    await deps.ledger.of(request.tenantId).settle({
      holdId: admission.holdId,
      lines: [],
      costUsdMicro: null,
      note: 'the session could not be opened',
      by: { epoch: admission.epoch },
    })
    await deps.usage.release({ tenantId: request.tenantId, sessionId })
  } catch (error) {
    deps.log.warn({ err: error, sessionId }, 'a refused session left its hold to the janitor')
  }
}

/** Who spoke to us in the last half hour is not greeted again: the connection was lost, or the page changed. */
const freshAfterMs = 30 * 60_000

function isFresh(history: readonly Turn[], nowMs: number): boolean {
  const last = history.at(-1)
  return last === undefined || nowMs - Date.parse(last.updatedAt) > freshAfterMs
}

interface Made {
  readonly history: readonly Turn[]
  readonly request: OpenRequest
  readonly view: SessionView
  readonly admission: Admission
  readonly engine: Engine
  readonly serverTools: ReadonlySet<string>
}

function assemble(deps: Deps, made: Made): Session {
  const { request, view, engine } = made
  const { tenantId, brief, leg } = request
  const log = deps.log.child({ tenantId, sessionId: view.id })
  const { clock, live } = deps
  const recorder = new Recorder({
    clock,
    sessionId: view.id,
    conversationId: view.conversationId,
    channel: view.channel,
    write: (turns) => deps.transcript.of(tenantId).write(turns),
    onTurn: (turn) => {
      leg.turn(turn)
      live.tell(tenantId, () => ({ is: 'turn', sessionId: view.id, turn }))
    },
    onWriteError: (error) => log.warn({ err: error }, 'turns not stored yet, trying again'),
  })
  const budget = budgetOf(deps, made, log, {
    dispatch: (event) => session.dispatch(event),
    state: () => session.state,
    progress: () => progress(),
  })
  const toolbox = toolboxOf(deps, made, { recorder, budget })
  const progress = (): SessionProgress => progressOf(session, recorder, budget)
  const now = (): SessionView => ({
    ...view,
    // Ended means: settled and stored. Until then it is ending.
    state: session.state === 'ended' ? 'ending' : session.state,
    ...progress(),
    lastSeenAt: new Date(clock.now()).toISOString(),
  })
  const parts: SessionParts = {
    clock,
    log,
    leg,
    engine,
    recorder,
    toolbox,
    budget,
    onChange: () => live.tell(tenantId, () => ({ is: 'session', session: now() })),
    onNotice: (code, text) => live.tell(tenantId, () => ({ is: 'notice', sessionId: view.id, code, text })),
    onFinish: (end) => finish(deps, { tenantId, view, budget, progress, end }),
  }
  const session: Session = new Session(
    {
      tenantId,
      sessionId: view.id,
      keyId: request.keyId,
      greeting: isFresh(made.history, deps.clock.now()) ? brief.greeting : null,
      closing: brief.closing,
      limits: brief.limits,
    },
    parts,
  )
  const credential = {
    keyId: request.keyId,
    ...(request.signingKeyId === undefined ? {} : { signingKeyId: request.signingKeyId }),
  }
  live.add(view.id, {
    session,
    credential,
    conversationId: view.conversationId,
    flushed: (timeoutMs) => recorder.settle(timeoutMs),
    view: now,
  })
  live.tell(tenantId, () => ({ is: 'session', session: now() }))
  log.info({ agent: brief.slug, channel: view.channel, engine: view.engine.kind }, 'session opened')
  return session
}

function toolboxOf(deps: Deps, made: Made, { recorder, budget }: { recorder: Recorder; budget: Budget }): Toolbox {
  const { request, view, engine, serverTools } = made
  const { tenantId, brief, leg } = request
  return new Toolbox({
    names: serverTools,
    engine,
    recorder,
    run: (call) =>
      deps.tools.run({
        tenantId,
        sessionId: view.id,
        callId: call.callId,
        name: call.name,
        arguments: call.arguments,
        allowed: brief.tools,
        channel: request.channel,
      }),
    onRun: () => budget.toolCall(),
    onActivity: () => leg.notice('tool_running', ''),
  })
}

/** The budget ends or warns the session; it comes before it, so it is given the session's verbs. */
function budgetOf(
  deps: Deps,
  made: Made,
  log: Log,
  session: { dispatch(event: CallEvent): void; state(): SessionView['state']; progress(): SessionProgress },
): Budget {
  const { request, view, admission } = made
  const { tenantId, brief } = request
  return new Budget(
    { tenantId, sessionId: view.id, agentId: brief.agentId, channel: view.channel, admission },
    {
      clock: deps.clock,
      log,
      usage: deps.usage,
      ledger: deps.ledger,
      store: async () => {
        const state = session.state()
        if (state === 'ended') return
        if (
          !(await deps.store.progress(tenantId, view.id, {
            epoch: admission.epoch,
            state,
            progress: session.progress(),
          }))
        )
          session.dispatch({ is: 'fenced' })
      },
      onLow: () => session.dispatch({ is: 'creditLow' }),
      onOut: () => session.dispatch({ is: 'creditOut' }),
      onFenced: () => session.dispatch({ is: 'fenced' }),
    },
  )
}

function progressOf(session: Session, recorder: Recorder, budget: Budget): SessionProgress {
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
  }
}

async function finish(
  deps: Deps,
  last: {
    tenantId: OpenRequest['tenantId']
    view: SessionView
    budget: Budget
    progress: () => SessionProgress
    end: Parameters<SessionParts['onFinish']>[0]
  },
): Promise<void> {
  const { tenantId, view, end } = last
  try {
    const receipt = end.settle ? await last.budget.settle(`session ${end.why}`) : undefined
    if (end.settle && receipt !== undefined) {
      await deps.store.end(tenantId, view.id, {
        reason: end.why,
        progress: { ...last.progress(), creditsMicro: receipt.totalMicro, activity: 'listening' },
        at: new Date(deps.clock.now()),
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
    deps.live.remove(view.id)
    deps.log.info({ tenantId, sessionId: view.id, reason: end.why, seconds: last.progress().seconds }, 'session ended')
  }
}
