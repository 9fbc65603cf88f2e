// From a caller to a running session: conversation, engine, admission, parts.

import { wishOf } from '../agents/agents.ts'
import type { Engine, EngineChoice, EngineEvent } from '../engines/engines.ts'
import { withDeadline } from '../platform/deadline.ts'
import { newId } from '../platform/ids.ts'
import { Problem } from '../platform/problem.ts'
import type { SessionView } from '../protocol/rest.ts'
import type { Turn } from '../protocol/turn.ts'
import type { OfferedTools } from '../tools/tools.ts'
import type { Admission } from '../usage/usage.ts'
import { type Assembled, assemble, type Deps } from './assemble.ts'
import { attentionOf } from './ears/settings.ts'
import type { DirectRequest, Opened, OpenRequest } from './request.ts'
import { newResumeToken, ResumeKey } from './resume-token.ts'

/** Turns of the conversation that seed the engine and greet the client. */
export const historyTurns = 20
const flushMs = 1_000

export async function openSession(deps: Deps, request: OpenRequest): Promise<Opened> {
  const { tenantId, brief } = request
  const choice = deps.enginesFor(brief)
  const facts = engineFacts(choice, brief)
  // What the store does not take could not be kept on disk either.
  if (!deps.transcript.healthy) throw new Problem('unavailable')
  const transcript = deps.transcript.of(tenantId)
  const sessionId = newId('sess')
  const preparing = Promise.all([
    transcript.conversation({ agentId: brief.agentId, contactId: request.contactId }).then(async (id) => {
      await deps.live.flushed(id, flushMs)
      return { id, history: await transcript.ofConversation(id, historyTurns) }
    }),
    deps.tools.brief(tenantId, brief),
  ])
  // Told below; until then a failure must not count as unhandled.
  preparing.catch(() => undefined)
  const admission = await admit(deps, request, { sessionId, engine: facts })
  try {
    const [{ id: conversationId, history }, offered] = await preparing
    const { canReturn, staysHere } = request.leg
    const resumeToken = canReturn && staysHere !== true ? newResumeToken() : undefined
    const resume = resumeToken === undefined ? undefined : ResumeKey.first(resumeToken)
    const view = await deps.store.create(
      tenantId,
      {
        sessionId,
        agent: { id: brief.agentId, slug: brief.slug, name: brief.name, version: brief.version },
        conversationId,
        contactId: request.contactId,
        channel: request.channel,
        keyId: request.keyId,
        engine: facts,
        owner: deps.nodeId,
        epoch: admission.epoch,
        holdId: admission.holdId,
        price: admission.price,
        ...(resume === undefined ? {} : { resume: resume.state }),
      },
      new Date(deps.clock.now()),
    )
    const { engine, connect } = openEngine(deps, { request, sessionId, offered, history, choice })
    const serverTools = new Set(offered.tools.map((tool) => tool.name))
    const { epoch } = admission
    const assembled = assemble(deps, { request, view, epoch, admission, engine, serverTools, history, resume })
    connect(assembled)
    const { session } = assembled
    return {
      sessionId,
      conversationId,
      history,
      engine: view.engine,
      epoch,
      ...(resumeToken === undefined ? {} : { resumeToken }),
      serverTools: offered.tools,
      port: session,
      start: () => session.start(),
    }
  } catch (error) {
    await undo(deps, request, sessionId, admission)
    throw error
  }
}

export interface EngineAsk {
  readonly request: OpenRequest
  readonly sessionId: string
  readonly offered: OfferedTools
  /** Before this session, or before this owner of it. */
  readonly history: readonly Turn[]
  readonly choice: EngineChoice
}

/** Events come only after `start`: by then the session is connected. */
export function openEngine(deps: Deps, ask: EngineAsk): { engine: Engine; connect(assembled: Assembled): void } {
  const { brief, tenantId, outputModality, leg } = ask.request
  const { factories } = ask.choice
  let made: Assembled | undefined
  const engine = deps.openEngine({
    tenantId,
    sessionId: ask.sessionId,
    factories,
    onEvent: (event: EngineEvent) => {
      made?.engineEnd.event(event)
      made?.hear(event)
    },
    ...(ask.request.direct === undefined ? {} : { direct: sayingTheRest(ask.request.direct, () => made) }),
    history: () => seed(withPresent(ask.history, made?.session.turns ?? [])),
    onTrouble: (trouble) => {
      leg.notice('engine_trouble', 'One moment, please.')
      made?.onNotice('engine_trouble', `The engine is in trouble (${trouble}); the agent goes on in a moment.`)
    },
    onSwitch: ({ kind, model }) => {
      if (kind !== factories[0]?.kind || model !== made?.facts.model) made?.budget.costUnknown()
    },
    brief: {
      instructions: [brief.instructions, ask.offered.instructions].filter((each) => each !== '').join('\n\n'),
      voice: brief.voice,
      language: brief.language,
      model: modelOf(ask.choice, brief),
      tools: [...ask.offered.tools, ...(ask.request.clientTools ?? [])],
      outputModality,
      turnDetection: brief.turnDetection,
      settings: brief.settings,
      text: wishOf(brief),
      ...(ask.request.direct === undefined && attentionOf(brief).decides ? { interruptions: 'told' } : {}),
      history: seed(ask.history.slice(-historyTurns)),
    },
  })
  const connect = (assembled: Assembled): void => {
    made = assembled
    // Another process may have chosen another one; the price is the one of the beginning.
    if (assembled.facts.kind !== factories[0]?.kind) assembled.budget.costUnknown()
  }
  return { engine, connect }
}

/** What was complete and still to be heard of a direct call is said again by whoever takes over. */
function sayingTheRest(direct: DirectRequest, made: () => Assembled | undefined): DirectRequest {
  return {
    ...direct,
    lost() {
      const goesOn = direct.lost()
      const session = goesOn ? made()?.session : undefined
      const rest = session?.talk.restOfComplete() ?? ''
      if (rest !== '') session?.command({ type: 'say', text: rest })
      return goesOn
    },
  }
}

function withPresent(history: readonly Turn[], present: readonly Turn[]): readonly Turn[] {
  const known = new Set(present.map((turn) => turn.itemId))
  return [...history.filter((turn) => !known.has(turn.itemId)), ...present].slice(-historyTurns)
}

function engineFacts(choice: EngineChoice, brief: OpenRequest['brief']): SessionView['engine'] {
  const kind = choice.factories[0]?.kind
  if (kind === undefined) throw new Problem('engine_refused')
  const { passedOver } = choice
  const facts = { kind, model: modelOf(choice, brief), demo: kind === 'demo' }
  return passedOver.length === 0 ? facts : { ...facts, passedOver }
}

/** The agent's model is one of the engine that it names; another one would not know it. */
function modelOf({ factories: [first] }: EngineChoice, brief: OpenRequest['brief']): string {
  if (first?.modelFor !== undefined) return first.modelFor(wishOf(brief))
  const { engine, model } = brief
  const isIts = model !== '' && (engine === 'auto' || engine === first?.kind)
  return isIts ? model : (first?.defaultModel ?? '')
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
  facts: { sessionId: string; engine: SessionView['engine'] },
): Promise<Admission> {
  let late = false
  const admitting = deps.usage
    .admit({
      tenantId: request.tenantId,
      plan: request.plan,
      agentId: request.brief.agentId,
      sessionId: facts.sessionId,
      channel: request.channel,
      engine: facts.engine.kind,
      model: facts.engine.model,
      ip: request.ip,
      keyId: request.keyId,
      owner: deps.nodeId,
      agentLimits: request.brief.limits,
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
  } catch (error) {
    deps.log.warn({ err: error, sessionId }, 'a refused session left its hold to the janitor')
  } finally {
    await deps.usage.release({ tenantId: request.tenantId, sessionId })
  }
}
