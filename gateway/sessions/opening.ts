// From a caller to a running session: conversation, engine, admission, parts.

import type { Engine, EngineEvent, EngineFactory, EngineTool } from '../engines/engines.ts'
import { withDeadline } from '../platform/deadline.ts'
import { newId } from '../platform/ids.ts'
import { Problem } from '../platform/problem.ts'
import type { SessionView } from '../protocol/rest.ts'
import type { Turn } from '../protocol/turn.ts'
import type { Admission } from '../usage/usage.ts'
import { assemble, type Deps } from './assemble.ts'
import type { Opened, OpenRequest } from './request.ts'
import { newResumeToken, ResumeKey } from './resume-token.ts'
import type { Session } from './session.ts'

/** Turns of the conversation that seed the engine and greet the client. */
export const historyTurns = 20
const flushMs = 1_000

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
    const resumeToken = request.leg.canReturn ? newResumeToken() : undefined
    const resume = resumeToken === undefined ? undefined : ResumeKey.first(resumeToken)
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
        ...(resume === undefined ? {} : { resume: resume.state }),
      },
      new Date(deps.clock.now()),
    )
    const { engine, connect } = openEngine({ request, sessionId, factory, tools, history })
    const serverTools = new Set(tools.map((tool) => tool.name))
    const { epoch } = admission
    const session = assemble(deps, { request, view, epoch, admission, engine, serverTools, history, resume })
    connect(session)
    return {
      sessionId,
      conversationId,
      history,
      engine: view.engine,
      epoch,
      ...(resumeToken === undefined ? {} : { resumeToken }),
      serverTools: tools,
      port: session,
      start: () => session.start(),
    }
  } catch (error) {
    await undo(deps, request, sessionId, admission)
    throw error
  }
}

/** Events come only after `start`: by then the session is connected. */
export function openEngine(of: {
  readonly request: OpenRequest
  readonly sessionId: string
  readonly factory: EngineFactory
  readonly tools: readonly EngineTool[]
  readonly history: readonly Turn[]
}): { engine: Engine; connect(session: Session): void } {
  const { brief, tenantId, outputModality } = of.request
  let session: Session | undefined
  const engine = of.factory.open({
    tenantId,
    sessionId: of.sessionId,
    onEvent: (event: EngineEvent) => session?.engineEvent(event),
    brief: {
      instructions: brief.instructions,
      voice: brief.voice,
      language: brief.language,
      model: brief.model === '' ? of.factory.defaultModel : brief.model,
      tools: of.tools,
      outputModality,
      turnDetection: 'server_vad',
      history: seed(of.history),
    },
  })
  const connect = (made: Session): void => {
    session = made
  }
  return { engine, connect }
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
