// A real session (assembled as the gateway does it) with a real engine and a caller, on a clock that moves only when told.

import { createDemo } from '../../gateway/engines/demo/demo.ts'
import type { Recogniser } from '../../gateway/engines/demo/recogniser.ts'
import type { Voice } from '../../gateway/engines/demo/voice.ts'
import type { EngineEvent, EngineFactory } from '../../gateway/engines/engines.ts'
import { pronounceable, sentences } from '../../gateway/engines/sentences.ts'
import { createSteady } from '../../gateway/engines/steady/steady.ts'
import { asTenantId } from '../../gateway/platform/ids.ts'
import { createLog } from '../../gateway/platform/log.ts'
import type { Turn } from '../../gateway/protocol/turn.ts'
import { assemble, type Deps, type Made } from '../../gateway/sessions/assemble.ts'
import { Live } from '../../gateway/sessions/live.ts'
import { openEngine } from '../../gateway/sessions/opening.ts'
import type { Session } from '../../gateway/sessions/session.ts'
import { briefFor } from '../harness/brief.ts'
import type { ManualClock } from '../harness/clock.ts'
import { speechPcm } from '../harness/speech.ts'
import { CallerLeg, type Device } from './caller.ts'

const log = createLog('silent', { write: () => {} })
const said = new Map<string, Buffer>()

/** Every sentence is made once, before the clock moves. */
const voice: Voice = {
  warm: async () => {},
  async speak(name, text) {
    const key = `${name} ${text}`
    const pcm = said.get(key) ?? (await speechPcm(text, name))
    said.set(key, pcm)
    return pcm
  },
  [Symbol.asyncDispose]: async () => {},
}

/** Before the clock moves. */
export async function prepare(text: string): Promise<void> {
  for (const sentence of sentences(text)) await voice.speak('slt', pronounceable(sentence))
}

export interface Hearing {
  /** `speech` only: the engine has no words. */
  readonly recogniser: Recogniser | null
}

export function demoOf(clock: ManualClock, { recogniser }: Hearing): EngineFactory {
  return createDemo({ clock, log, voice, recogniser, knowledge: { search: async () => [] } })
}

export interface Place {
  readonly session: Session
  readonly leg: CallerLeg
  readonly events: EngineEvent[]
  readonly turns: () => readonly Turn[]
}

export interface Options {
  readonly clock: ManualClock
  readonly factory: EngineFactory
  readonly device: Device
  readonly greeting: string
  readonly bargeIn: Partial<NonNullable<Made['request']['brief']['bargeIn']>>
  readonly language: string
}

let count = 0

export function place({ clock, factory, device, greeting, bargeIn, language }: Options): Place {
  const leg = new CallerLeg(clock, device)
  const id = `session_${++count}`
  const deps = depsOf(clock, factory)
  const request = requestOf(leg, { greeting, language, bargeIn })
  const { engine, connect } = openEngine(deps, {
    ...{ request, sessionId: id, offered: { tools: [], instructions: '' }, history: [] },
    choice: { factories: [factory], passedOver: [] },
  })
  const assembled = assemble(deps, {
    ...{ request, engine, history: [], epoch: 1, serverTools: new Set<string>(), resume: undefined },
    view: viewOf(id, clock),
    admission: { holdId: id, epoch: 1, heldMicro: 1e9, price },
  })
  const events: EngineEvent[] = []
  connect({
    ...assembled,
    hear: (event) => {
      events.push(event)
      assembled.hear(event)
    },
  })
  const { session } = assembled
  leg.port = session
  return { session, leg, events, turns: () => session.turns }
}

const price = {
  ...{ id: 'p', engine: 'demo', secondMicro: 1, meterMicroPerMillion: {} },
  ...{ costUsdMicroPerMillion: null, holdSecondMicro: 1 },
}

/** Stores and ledger answer at once and keep nothing: what a session costs is no subject here. */
function depsOf(clock: ManualClock, factory: EngineFactory): Deps {
  const deps = {
    ...{ clock, log, live: new Live(), nodeId: 'node', hasPeers: false, drainMs: 1_000 },
    enginesFor: () => ({ factories: [factory], passedOver: [] }),
    openEngine: createSteady({ clock, log, random: () => 0.5 }),
    transcript: { of: () => ({ writer: () => ({ write: async () => ({ fenced: [] }) }) }) },
    usage: {
      bill: () => ({ lines: [], totalMicro: 0, tokens: 0, costUsdMicro: null }),
      heartbeat: async () => {},
      checkpoint: async () => 'applied',
      agentDay: async () => ({ is: 'open' }),
      release: async () => {},
    },
    ledger: { of: () => ({ extend: async () => ({ is: 'held', amountMicro: 1e9 }) }) },
    store: { progress: async () => true, owns: async () => true },
  }
  return deps as unknown as Deps
}

function requestOf(leg: CallerLeg, own: object): Made['request'] {
  const brief = briefFor({
    ...{ engine: 'auto', voice: 'slt', closing: 'Goodbye.', ...own },
    limits: { idleMs: 600_000, maxDurationMs: 3_600_000 },
  })
  const request = {
    ...{ tenantId: asTenantId('t'), plan: 'free', brief, contactId: 'c', channel: 'widget', keyId: 'k' },
    ...{ ip: '127.0.0.1', leg, outputModality: 'audio' },
  }
  return request as unknown as Made['request']
}

function viewOf(id: string, clock: ManualClock): Made['view'] {
  const at = new Date(clock.now()).toISOString()
  return {
    ...{ id, tenantId: 't', agent: { id: 'a', slug: 'a', name: 'A' }, conversationId: 'c', contactId: 'c' },
    ...{ channel: 'widget', state: 'opening', engine: { kind: 'demo', model: 'demo', demo: true } },
    ...{ startedAt: at, lastSeenAt: at, seconds: 0, tokens: 0, creditsMicro: 0, costUsdMicro: null, turns: 0 },
    ...{ interruptions: 0, latencyMs: null, lastText: '', activity: 'listening' },
  }
}
