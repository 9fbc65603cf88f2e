// The toolbox of a session, joined with the tools of its agent.

import type { Engine } from '../engines/engines.ts'
import type { SessionView } from '../protocol/rest.ts'
import type { Budget } from './budget.ts'
import type { Recorder } from './recorder.ts'
import type { OpenRequest, SessionsDeps } from './request.ts'
import type { Session } from './session.ts'
import { StillChecking } from './still-checking.ts'
import { Toolbox } from './toolbox.ts'

interface ForWhom {
  readonly request: OpenRequest
  readonly view: SessionView
  readonly engine: Engine
  readonly serverTools: ReadonlySet<string>
}

export function toolboxOf(
  deps: Pick<SessionsDeps, 'clock' | 'tools'>,
  made: ForWhom,
  { recorder, budget, session }: { recorder: Recorder; budget: Budget; session: () => Session },
): Toolbox {
  const { request, view, engine, serverTools } = made
  const { tenantId, brief, leg } = request
  const stillChecking = new StillChecking({
    ...{ clock: deps.clock, engine, language: brief.language },
    mayAgentSpeak: () => engine.capabilities.tools === 'inline' && isQuietCall(session()),
  })
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
        conversationId: view.conversationId,
        contactId: request.contactId,
        caller: request.caller ?? { kind: 'visitor', id: request.contactId, name: request.contactId },
        agent: { id: brief.agentId, name: brief.name, version: brief.version },
        isLive: true,
        policy: brief,
      }),
    onRun: (name) => budget.toolCall(name),
    onActivity: () => leg.notice('tool_running', ''),
    onVisual: (visual) => leg.tell?.({ type: 'parley.visual', ...visual }),
    onWait: (waits) => (waits ? stillChecking.begin() : stillChecking.end()),
  })
}

/** In which a pause is long. */
function isQuietCall({ state, isAway, voiceOn, talk }: Session): boolean {
  return state === 'live' && voiceOn && !isAway && talk.isQuiet
}
