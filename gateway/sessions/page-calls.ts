// Actions that the page of this session was asked for. A client answers what it was asked and nothing else, once.

import type { Clock } from '../platform/clock.ts'
import type { ActionAnswer, PageAction } from '../tools/tools.ts'
import type { Leg } from './leg.ts'

export interface PageCallsOptions {
  readonly clock: Clock
  readonly leg: Pick<Leg, 'isStock' | 'staysHere' | 'tell'>
}

export class PageCalls {
  readonly #options: PageCallsOptions
  readonly #open = new Map<string, (answer: ActionAnswer) => void>()
  #closed = false

  constructor(options: PageCallsOptions) {
    this.#options = options
  }

  /** While the client is away the wish waits with the other frames, and its time runs. */
  ask({ callId, action, arguments: args, timeoutMs, signal }: PageAction): Promise<ActionAnswer> {
    const { clock, leg } = this.#options
    // In a room nobody could answer.
    const isPage = !leg.isStock && leg.staysHere !== true
    if (this.#closed || !isPage || leg.tell === undefined) return Promise.resolve({ is: 'no_page' })
    const { promise, resolve } = Promise.withResolvers<ActionAnswer>()
    const late = (): void => void this.#settle(callId, { is: 'timeout' })
    const timer = clock.after(timeoutMs, late)
    signal.addEventListener('abort', late, { once: true })
    this.#open.set(callId, resolve)
    leg.tell({ type: 'parley.action', call_id: callId, action, arguments: args, timeout_ms: timeoutMs })
    return promise.finally(() => {
      timer.cancel()
      signal.removeEventListener('abort', late)
    })
  }

  /** False: nobody waits for it here. */
  answer(callId: string, ok: boolean, result: unknown): boolean {
    return this.#settle(callId, { is: ok ? 'done' : 'failed', result })
  }

  close(): void {
    this.#closed = true
    for (const callId of [...this.#open.keys()]) this.#settle(callId, { is: 'no_page' })
  }

  #settle(callId: string, answer: ActionAnswer): boolean {
    const resolve = this.#open.get(callId)
    this.#open.delete(callId)
    resolve?.(answer)
    return resolve !== undefined
  }
}
