// Outcomes of calls that waited for a person, told in a live session: the call's turn shows it at once, the agent says it when
// nobody speaks and nobody is away.

import type { CommandAnswer, EngineCommand, EngineEvent } from '../engines/engines.ts'
import type { Clock, Timer } from '../platform/clock.ts'
import type { Outcome } from '../tools/tools.ts'

export interface OutcomesOptions {
  readonly clock: Clock
  readonly engine: { readonly kind: string; send(command: EngineCommand): CommandAnswer }
  /** Nobody speaks, no answer is being made or played, and the person is there. */
  readonly isQuiet: () => boolean
}

/** `told`: the agent says it. `ended`: the session was over before. */
export type Told = 'told' | 'ended'

interface Waiting {
  readonly outcome: Outcome
  readonly told: PromiseWithResolvers<Told>
  tries: number
}

const pollMs = 100
/** Of quiet, before it is broken: a person who pauses for breath goes on. */
const quietMs = 400
/** Speech that ended and was not answered within this was none. */
const unansweredMs = 4_000
/** An answer that was asked for and did not begin within this. */
const startMs = 8_000
/** Then it is said in our words. */
const maxTries = 2

export class Outcomes {
  readonly #options: OutcomesOptions
  readonly #waiting: Waiting[] = []
  #timer: Timer | undefined
  #asked: { readonly one: Waiting; readonly atMs: number } | undefined
  #speaks = false
  #heardAtMs: number | undefined
  #quietSinceMs: number | undefined
  #closed = false

  constructor(options: OutcomesOptions) {
    this.#options = options
  }

  tell(outcome: Outcome): Promise<Told> {
    if (this.#closed) return Promise.resolve('ended')
    const told = Promise.withResolvers<Told>()
    this.#waiting.push({ outcome, told, tries: 0 })
    this.#timer ??= this.#options.clock.every(pollMs, () => this.#poll())
    return told.promise
  }

  event(event: EngineEvent): void {
    if (event.type === 'userSpeech') {
      this.#speaks = event.phase === 'start'
      this.#heardAtMs = this.#options.clock.monotonicMs()
    }
    if (event.type !== 'responseStarted') return
    this.#heardAtMs = undefined
    const asked = this.#asked
    this.#asked = undefined
    if (asked !== undefined) this.#told(asked.one)
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
    for (const { told } of this.#waiting.splice(0)) told.resolve('ended')
  }

  #told(one: Waiting): void {
    this.#waiting.splice(this.#waiting.indexOf(one), 1)
    one.told.resolve('told')
    if (this.#waiting.length > 0) return
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #poll(): void {
    const nowMs = this.#options.clock.monotonicMs()
    if (this.#asked !== undefined) {
      if (nowMs - this.#asked.atMs < startMs) return
      this.#asked = undefined
    }
    if (!this.#isQuiet(nowMs)) {
      this.#quietSinceMs = undefined
      return
    }
    this.#quietSinceMs ??= nowMs
    const [one] = this.#waiting
    if (one !== undefined && nowMs - this.#quietSinceMs >= quietMs) this.#ask(one, nowMs)
  }

  #isQuiet(nowMs: number): boolean {
    if (this.#speaks) return false
    if (this.#heardAtMs !== undefined && nowMs - this.#heardAtMs < unansweredMs) return false
    return this.#options.isQuiet()
  }

  #ask(one: Waiting, nowMs: number): void {
    const { engine } = this.#options
    const { approvalId, tool, output, instruction, plain } = one.outcome
    this.#asked = { one, atMs: nowMs }
    this.#quietSinceMs = undefined
    one.tries++
    // A demo has no words of its own, and who did not begin to speak is given the words.
    if (engine.kind === 'demo' || one.tries > maxTries) {
      engine.send({ type: 'say', text: plain })
      return
    }
    // The call had its output when it was parked: what came of it is told as something known.
    if (one.tries === 1)
      engine.send({ type: 'toolResult', callId: approvalId, output: `${output} ${instruction}`, foreign: tool })
    engine.send({ type: 'respond' })
  }
}
