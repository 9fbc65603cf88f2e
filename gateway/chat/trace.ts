// What became of each of the thirteen steps of one message. A failure stops those after it.

import type { Clock } from '../platform/clock.ts'
import { asProblem } from '../platform/problem.ts'
import { type ChatStep, type StepName, stepNames } from '../protocol/chat.ts'

/** For tests that stop a process in the middle: awaited when a step begins and when its work is done but not told yet. */
export type OnStep = (name: StepName, at: 'begin' | 'done') => void | Promise<void>

export interface TraceOptions {
  readonly clock: Clock
  readonly onBegin: (name: StepName) => void
  readonly onStep?: OnStep | undefined
  /** What an owner before found out. */
  readonly before?: readonly ChatStep[]
}

export class Trace {
  readonly #options: TraceOptions
  readonly #steps = new Map<StepName, ChatStep>()

  constructor(options: TraceOptions) {
    this.#options = options
    for (const step of options.before ?? []) if (step.outcome === 'ok') this.#steps.set(step.name, step)
  }

  /** May be called again for one name: its time adds up. */
  async step<T>(name: StepName, work: () => Promise<T>): Promise<T> {
    const { clock, onBegin, onStep } = this.#options
    const known = this.#steps.get(name)
    if (known === undefined) onBegin(name)
    const beganMs = clock.monotonicMs()
    const done = (outcome: Pick<ChatStep, 'outcome' | 'code'>) => {
      const ms = Math.round((known?.ms ?? 0) + clock.monotonicMs() - beganMs)
      this.#steps.set(name, { name, ms, ...outcome })
    }
    try {
      await onStep?.(name, 'begin')
      const result = await work()
      await onStep?.(name, 'done')
      done({ outcome: 'ok' })
      return result
    } catch (thrown) {
      done({ outcome: 'failed', code: asProblem(thrown).code })
      throw thrown
    }
  }

  /** Without meaning for this message. */
  skip(...names: readonly StepName[]): void {
    for (const name of names) this.#steps.set(name, { name, ms: 0, outcome: 'skipped' })
  }

  /** All thirteen, in their order. */
  get steps(): readonly ChatStep[] {
    return stepNames.map((name) => this.#steps.get(name) ?? { name, ms: 0, outcome: 'skipped' })
  }
}
