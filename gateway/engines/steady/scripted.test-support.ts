// An engine that does what a test says, and the steady engine over any number of them, on a clock that a test moves.

import { pino } from 'pino'
import { ManualClock } from '../../../test/harness/clock.ts'
import type {
  Capabilities,
  CloseCause,
  CommandAnswer,
  Engine,
  EngineBrief,
  EngineCommand,
  EngineEvent,
  EngineFactory,
  EngineKind,
  EngineOptions,
  SteadyOptions,
} from '../engines.ts'
import { createSteady, type SteadyNeeds } from './steady.ts'

export const capabilities: Capabilities = {
  conversation: 'turn',
  cancelSpeech: 'exact',
  truncate: 'native',
  say: 'exact',
  tools: 'inline',
  usage: 'cumulative',
  media: 'relayed',
  hears: 'words',
  inputAudio: 'pcm16_24k',
  outputAudio: 'pcm16_24k',
  maxDurationMs: null,
  mutable: ['instructions', 'tools', 'voice', 'turnDetection', 'outputModality'],
  dialect: 'none',
}

export class ScriptedEngine implements Engine {
  readonly kind: EngineKind
  capabilities: Capabilities
  readonly options: EngineOptions
  readonly sent: EngineCommand[] = []
  readonly heard: Buffer[] = []
  bufferedBytes = 0
  started = false
  paused = false
  closing = false
  answer: CommandAnswer = { is: 'accepted' }

  constructor(kind: EngineKind, options: EngineOptions, over: Partial<Capabilities>) {
    this.kind = kind
    this.options = options
    this.capabilities = { ...capabilities, ...over }
  }

  start(): void {
    this.started = true
  }
  send(command: EngineCommand): CommandAnswer {
    this.sent.push(command)
    return this.answer
  }
  audio(input: { readonly pcm: Buffer } | { readonly appendFrame: Buffer }): void {
    this.heard.push('pcm' in input ? input.pcm : input.appendFrame)
  }
  pause(): void {
    this.paused = true
  }
  resume(): void {
    this.paused = false
  }
  close(): void {
    this.closing = true
  }

  emit(...events: readonly EngineEvent[]): void {
    for (const event of events) this.options.onEvent(event)
  }
  ready(model = this.options.brief.model): void {
    this.emit({ type: 'ready', source: 'provider', engineSessionId: 'sess', model })
  }
  closed(cause: CloseCause, code: string): void {
    this.emit({ type: 'closed', source: 'provider', cause, code, message: '' })
  }
  refuse(code: string, retryAfterMs?: number): void {
    if (retryAfterMs !== undefined) this.emit({ type: 'rateLimited', source: 'provider', retryAfterMs })
    this.closed('refused', code)
  }

  begin(responseId = 'resp_1', itemId = 'item_1'): void {
    this.emit({ type: 'responseStarted', source: 'provider', responseId })
    this.emit({ type: 'agentItem', source: 'provider', responseId, itemId })
  }
  /** Words and then their sound, at 60 ms a character. */
  say(text: string, { responseId = 'resp_1', itemId = 'item_1', ms = text.length * 60 } = {}): void {
    const at = { source: 'provider', responseId, itemId } as const
    this.emit({ type: 'agentText', ...at, spoken: true, delta: text })
    if (ms > 0) this.emit({ type: 'audio', ...at, pcm: Buffer.alloc(ms * 48), ms })
  }
  end(
    text: string,
    {
      responseId = 'resp_1',
      itemId = 'item_1',
      status = 'completed',
      reason,
    }: {
      responseId?: string
      itemId?: string
      status?: 'completed' | 'failed' | 'cancelled'
      reason?: string
    } = {},
  ): void {
    const at = { source: 'provider', responseId, itemId } as const
    if (text !== '') this.emit({ type: 'audioDone', ...at }, { type: 'agentText', ...at, spoken: true, final: text })
    const why = reason === undefined ? {} : { reason }
    this.emit({ type: 'responseDone', source: 'provider', responseId, status, ...why })
  }
  speech(phase: 'start' | 'stop', itemId = 'item_u', interrupts = false): void {
    this.emit({ type: 'userSpeech', source: 'provider', phase, itemId, atMs: 0, interrupts })
  }
  words(final: string, itemId = 'item_u'): void {
    this.emit({ type: 'userText', source: 'provider', itemId, final })
  }

  of<T extends EngineCommand['type']>(type: T): Extract<EngineCommand, { type: T }>[] {
    return this.sent.filter((command): command is Extract<EngineCommand, { type: T }> => command.type === type)
  }
}

export interface Kind {
  readonly kind?: EngineKind
  readonly capabilities?: Partial<Capabilities>
}

interface Over extends Partial<SteadyNeeds> {
  readonly brief?: Partial<EngineBrief>
  /** The first engine is a direct call; whether its person can be heard another way. */
  readonly direct?: { readonly goesOn: boolean }
}

/** Everything a test looks at. `history` is what the session would give. */
export class Rig {
  readonly clock = new ManualClock()
  readonly opened: ScriptedEngine[] = []
  readonly events: EngineEvent[] = []
  readonly troubles: string[] = []
  readonly switches: string[] = []
  history: EngineBrief['history'] = []
  readonly engine: Engine

  constructor(kinds: readonly Kind[] = [{}], over: Over = {}) {
    const { brief, direct, ...needs } = over
    const factories = kinds.map(({ kind = 'openai-realtime', capabilities: caps = {} }): EngineFactory => {
      const opens = (options: EngineOptions, media: Capabilities['media']) => {
        const engine = new ScriptedEngine(kind, options, { ...caps, media })
        this.opened.push(engine)
        return engine
      }
      return {
        kind,
        defaultModel: `${kind}-default`,
        hears: 'words',
        open: (options) => opens(options, 'relayed'),
        direct: { dialect: 'none', open: (options) => opens(options, 'direct') },
      }
    })
    const open = createSteady({ clock: this.clock, random: () => 0.5, log: pino({ level: 'silent' }), ...needs })
    this.engine = open({
      tenantId: 'ten_1',
      sessionId: 'sess_1',
      brief: {
        instructions: 'Be kind.',
        voice: 'marin',
        language: 'en',
        model: 'model-1',
        tools: [],
        outputModality: 'audio',
        turnDetection: 'server_vad',
        history: [],
        ...brief,
      },
      onEvent: (event) => this.events.push(event),
      factories,
      ...(direct === undefined ? {} : { direct: this.#directOf(direct.goesOn) }),
      history: () => this.history,
      onTrouble: (trouble, code) => this.troubles.push(`${trouble} ${code}`),
      onSwitch: ({ kind, model }) => this.switches.push(`${kind} ${model}`),
    })
  }

  /** How often it was asked whether the person can be heard another way. */
  asked = 0

  #directOf(goesOn: boolean): NonNullable<SteadyOptions['direct']> {
    return {
      offer: 'v=0',
      answered: () => undefined,
      lost: () => {
        this.asked++
        return goesOn
      },
    }
  }

  /** The last one opened. */
  get now(): ScriptedEngine {
    const engine = this.opened.at(-1)
    if (engine === undefined) throw new Error('nothing was opened')
    return engine
  }

  live(): this {
    this.engine.start()
    this.now.ready()
    return this
  }

  of<T extends EngineEvent['type']>(type: T): Extract<EngineEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<EngineEvent, { type: T }> => event.type === type)
  }

  types(): string[] {
    return this.events.map(({ type }) => type)
  }

  /** The final texts of the agent's items, in order. */
  finals(): string[] {
    return this.of('agentText').flatMap(({ final }) => (final === undefined ? [] : [final]))
  }
}
