// An engine played by the test: commands are expected one by one and events are given by hand. An unexpected command
// fails at once, a missing one at `done()`.

import { isDeepStrictEqual } from 'node:util'
import type {
  Capabilities,
  CommandAnswer,
  Engine,
  EngineCommand,
  EngineEvent,
  EngineFactory,
  EngineOptions,
} from '../../gateway/engines/engines.ts'

export const scriptedCapabilities: Capabilities = {
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

interface Expectation {
  readonly command: Partial<EngineCommand>
  readonly answer: CommandAnswer
}

export class ScriptedEngine implements Engine {
  readonly kind = 'demo'
  readonly capabilities: Capabilities
  readonly options: EngineOptions
  readonly commands: EngineCommand[] = []
  readonly unexpected: EngineCommand[] = []
  /** Bytes of audio taken, in either form. */
  audioBytes = 0
  bufferedBytes = 0
  paused = false
  started = false
  closed = false
  readonly #strict: boolean
  readonly #expected: Expectation[] = []

  constructor(options: EngineOptions, capabilities: Capabilities, strict: boolean) {
    this.options = options
    this.capabilities = capabilities
    this.#strict = strict
  }

  /** The next command must have at least these fields. */
  expect(command: Partial<EngineCommand>, answer: CommandAnswer = { is: 'accepted' }): this {
    this.#expected.push({ command, answer })
    return this
  }

  emit(event: EngineEvent): void {
    if (this.closed) throw new Error(`Event ${event.type} after closed`)
    if (event.type === 'closed') this.closed = true
    this.options.onEvent(event)
  }

  ready(): void {
    this.emit({ type: 'ready', source: 'provider', engineSessionId: 'sess_scripted', model: 'scripted' })
  }

  /** Throws when a command was expected and did not come, or came and was not expected. */
  done(): void {
    const [unexpected] = this.unexpected
    if (unexpected !== undefined) throw new Error(`Unexpected command ${JSON.stringify(unexpected)}`)
    const [missing] = this.#expected
    if (missing !== undefined) throw new Error(`Missing command ${JSON.stringify(missing.command)}`)
  }

  start(): void {
    this.started = true
  }

  send(command: EngineCommand): CommandAnswer {
    if (this.closed) return { is: 'rejected', reason: 'closed' }
    this.commands.push(command)
    const next = this.#expected[0]
    if (next !== undefined && includes(command, next.command)) {
      this.#expected.shift()
      return next.answer
    }
    if (!this.#strict) return { is: 'accepted' }
    this.unexpected.push(command)
    throw new Error(`Unexpected command ${JSON.stringify(command)}, expected ${JSON.stringify(next?.command)}`)
  }

  audio(input: { readonly pcm: Buffer } | { readonly appendFrame: Buffer }): void {
    this.audioBytes += 'pcm' in input ? input.pcm.length : input.appendFrame.length
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  close(): void {
    if (this.closed) return
    queueMicrotask(() => {
      if (!this.closed) this.emit({ type: 'closed', source: 'local', cause: 'asked', code: 'asked', message: '' })
    })
  }
}

export interface ScriptedFactory extends EngineFactory {
  readonly engines: ScriptedEngine[]
}

/** `strict`: commands without an expectation fail. Otherwise they are only recorded. */
export function scriptedFactory(
  options: { strict?: boolean; capabilities?: Partial<Capabilities> } = {},
): ScriptedFactory {
  const engines: ScriptedEngine[] = []
  const capabilities = { ...scriptedCapabilities, ...options.capabilities }
  return {
    kind: 'demo',
    defaultModel: 'scripted',
    hears: capabilities.hears,
    engines,
    open(engineOptions) {
      const engine = new ScriptedEngine(engineOptions, capabilities, options.strict ?? true)
      engines.push(engine)
      return engine
    },
  }
}

function includes(command: EngineCommand, wanted: Partial<EngineCommand>): boolean {
  const given = new Map<string, unknown>(Object.entries(command))
  return Object.entries(wanted).every(([key, value]) => isDeepStrictEqual(given.get(key), value))
}
