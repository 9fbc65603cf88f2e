// Short messages between gateway processes, by Redis pub/sub. At most once: whoever needs certainty looks in the store.

import type { Redis } from '@upstash/redis'
import { z } from 'zod'
import type { Clock, Timer } from './clock.ts'
import { withDeadline } from './deadline.ts'
import type { Log } from './log.ts'

export interface Bus {
  /** How many processes got it; 0: nobody listens there, or Redis did not take it within 300 ms. Never rejects. */
  tell(nodeId: string, message: unknown): Promise<number>
  /** Messages to this process, as JSON gave them: the handler checks what it reads. Returns what ends it. */
  on(handler: (message: unknown) => void): () => void
  close(): Promise<void>
}

export interface BusOptions {
  readonly redis: Redis
  readonly nodeId: string
  readonly log: Log
  readonly clock: Clock
}

type Subscription = ReturnType<Redis['subscribe']>

const tellMs = 300
/** An event stream that ends says nothing: what this process tells itself must come back. */
const pingMs = 5_000
const silentMs = 12_000
/** Between attempts to subscribe. */
const retryMs = 500

const envelope = z.union([z.object({ ping: z.literal(true) }), z.object({ message: z.unknown() })])

export function createBus(options: BusOptions): Bus {
  return new RedisBus(options)
}

class RedisBus implements Bus {
  readonly #options: BusOptions
  readonly #handlers = new Set<(message: unknown) => void>()
  readonly #pings: Timer
  #subscription: Subscription | undefined
  #retry: Timer | undefined
  #heardMs: number
  #isDown = false
  #closed = false

  constructor(options: BusOptions) {
    this.#options = options
    this.#heardMs = options.clock.monotonicMs()
    this.#subscribe()
    this.#pings = options.clock.every(pingMs, () => void this.#ping())
  }

  tell(nodeId: string, message: unknown): Promise<number> {
    return this.#publish(nodeId, { message })
  }

  on(handler: (message: unknown) => void): () => void {
    this.#handlers.add(handler)
    return () => void this.#handlers.delete(handler)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#pings.cancel()
    this.#retry?.cancel()
    await this.#subscription?.unsubscribe()
  }

  async #publish(nodeId: string, body: z.input<typeof envelope>): Promise<number> {
    const { redis, clock, log } = this.#options
    try {
      const sent = redis.publish(channelOf(nodeId), body)
      return await withDeadline(sent, { timeoutMs: tellMs, fallback: () => 0, clock })
    } catch (error) {
      log.debug({ event: 'bus_not_sent', reason: String(error) })
      return 0
    }
  }

  #subscribe(): void {
    const { redis, nodeId, clock } = this.#options
    this.#retry = undefined
    this.#heardMs = clock.monotonicMs()
    const subscription = redis.subscribe(channelOf(nodeId))
    this.#subscription = subscription
    // An old subscription may speak once more when it has been replaced.
    const current = (run: () => void) => (): void => {
      if (this.#subscription === subscription) run()
    }
    subscription.on(
      'subscribe',
      current(() => this.#heard()),
    )
    subscription.on(
      'error',
      current(() => this.#lost('refused')),
    )
    subscription.on('message', ({ message }) => {
      if (this.#subscription === subscription) this.#receive(message)
    })
  }

  #receive(body: unknown): void {
    this.#heard()
    const read = envelope.safeParse(body)
    if (!read.success || 'ping' in read.data) return
    for (const handler of [...this.#handlers]) {
      try {
        handler(read.data.message)
      } catch (error) {
        this.#options.log.error({ err: error }, 'a message of another process was not handled')
      }
    }
  }

  #heard(): void {
    this.#heardMs = this.#options.clock.monotonicMs()
    if (this.#isDown) this.#options.log.info({ event: 'bus_up' })
    this.#isDown = false
  }

  async #ping(): Promise<void> {
    const asked = this.#subscription
    const receivers = await this.#publish(this.#options.nodeId, { ping: true })
    if (this.#closed || asked === undefined || this.#subscription !== asked) return
    if (receivers === 0 || this.#options.clock.monotonicMs() - this.#heardMs > silentMs) this.#lost('silent')
  }

  #lost(reason: string): void {
    if (this.#closed) return
    const { log, clock } = this.#options
    if (!this.#isDown) log.warn({ event: 'bus_down', reason })
    this.#isDown = true
    const old = this.#subscription
    this.#subscription = undefined
    old?.unsubscribe().catch(() => {})
    this.#retry?.cancel()
    this.#retry = clock.after(retryMs, () => this.#subscribe())
  }
}

function channelOf(nodeId: string): string {
  return `parley:node:${nodeId}`
}
