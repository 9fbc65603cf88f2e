// An engine that answers each message with a few words, calls a tool now and then, meters its tokens, and sometimes
// refuses or is lost. Runs in the life of its gateway.

import type { Engine, EngineCommand, EngineEvent, SteadyOptions } from '../../gateway/engines/engines.ts'
import type { Clock, Timer } from '../../gateway/platform/clock.ts'
import type { Random } from '../chaos/random.ts'
import type { Life, Scheduler } from './scheduler.ts'
import { type SessionTruth, type Stint, tokenMeter } from './truth.ts'

const capabilities: Engine['capabilities'] = {
  ...{ conversation: 'turn', cancelSpeech: 'exact', truncate: 'native', say: 'exact', tools: 'inline' },
  ...{ usage: 'cumulative', media: 'relayed', hears: 'words', inputAudio: 'pcm16_24k', outputAudio: 'pcm16_24k' },
  ...{ maxDurationMs: null, mutable: [], dialect: 'none' },
}

export interface SimEngineDeps {
  readonly owner: string
  readonly life: Life
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly random: Random
  readonly truth: SessionTruth
  readonly isFaulty: () => boolean
  /** Different each time. */
  readonly nextId: () => number
}

export class SimEngine implements Engine {
  readonly kind = 'demo'
  readonly capabilities = capabilities
  readonly bufferedBytes = 0
  readonly #options: SteadyOptions
  readonly #deps: SimEngineDeps
  readonly #timers = new Set<Timer>()
  #stint: Stint | undefined
  #closed = false
  #answering: { id: string; itemId: string } | undefined

  constructor(options: SteadyOptions, deps: SimEngineDeps) {
    this.#options = options
    this.#deps = deps
  }

  start(): void {
    const { random, isFaulty } = this.#deps
    const refuses = isFaulty() && random.next() < 0.02
    this.#in(20 + random.next() * 400, () => {
      if (refuses) return this.#end('refused')
      this.#stint = this.#deps.truth.begin(this.#deps.owner, this.#deps.life)
      this.#tell({ type: 'ready', source: 'provider', engineSessionId: 'engine', model: 'sim' })
      this.#meter()
      if (isFaulty() && random.next() < 0.05) this.#in(random.next() * 120_000, () => this.#end('lost'))
    })
  }

  send(command: EngineCommand): { is: 'accepted' } | { is: 'rejected'; reason: string } {
    if (this.#closed) return { is: 'rejected', reason: 'closed' }
    const { random } = this.#deps
    if (command.type === 'cancel') this.#done('cancelled')
    else if (command.type === 'respond' || command.type === 'say' || command.type === 'goOn') {
      const words = command.type === 'say' ? command.text : `answer ${this.#deps.nextId()}`
      this.#in(100 + random.next() * 900, () => this.#answer(words))
    }
    return { is: 'accepted' }
  }

  audio(): void {}
  pause(): void {}
  resume(): void {}

  close(): void {
    this.#end('asked')
  }

  #answer(words: string): void {
    if (this.#answering !== undefined) return
    const { random, truth } = this.#deps
    const id = String(this.#deps.nextId())
    const answer = { id: `resp_${id}`, itemId: `item_${id}` }
    this.#answering = answer
    const base = { source: 'provider' as const, responseId: answer.id, itemId: answer.itemId }
    this.#tell({ type: 'responseStarted', source: 'provider', responseId: answer.id })
    this.#tell({ type: 'agentItem', ...base })
    this.#in(50 + random.next() * 300, () => {
      if (this.#answering !== answer) return
      this.#tell({ type: 'agentText', ...base, spoken: false, delta: words })
    })
    const callsTool = random.next() < 0.15
    this.#in(400 + random.next() * 2_500, () => {
      if (this.#answering !== answer) return
      this.#tell({ type: 'agentText', ...base, spoken: false, final: words })
      if (callsTool) {
        const callId = `call_${id}`
        truth.toolCalls.add(callId)
        this.#tell({ type: 'toolCall', ...base, callId, name: 'lookup', arguments: '{}' })
      }
      this.#done('completed')
    })
  }

  #done(status: 'completed' | 'cancelled'): void {
    const answer = this.#answering
    if (answer === undefined) return
    this.#answering = undefined
    this.#tell({ type: 'responseDone', source: 'provider', responseId: answer.id, status })
  }

  /** Cumulative since the engine opened. */
  #meter(): void {
    const { scheduler, truth } = this.#deps
    this.#in(4_000, () => {
      const seconds = (scheduler.nowMs - (this.#stint?.startMs ?? scheduler.nowMs)) / 1000
      const meters = { [tokenMeter]: Math.floor(seconds * truth.tokensPerSecond) }
      this.#tell({ type: 'usage', source: 'provider', meters })
      this.#meter()
    })
  }

  #end(cause: 'asked' | 'refused' | 'lost'): void {
    if (this.#closed) return
    this.#closed = true
    for (const timer of this.#timers) timer.cancel()
    if (this.#stint !== undefined) this.#deps.truth.end(this.#stint)
    this.#options.onEvent({ type: 'closed', source: 'local', cause, code: cause, message: '' })
  }

  #tell(event: EngineEvent): void {
    if (!this.#closed) this.#options.onEvent(event)
  }

  #in(ms: number, run: () => void): void {
    const timer = this.#deps.clock.after(ms, () => {
      this.#timers.delete(timer)
      if (!this.#closed) run()
    })
    this.#timers.add(timer)
  }
}
