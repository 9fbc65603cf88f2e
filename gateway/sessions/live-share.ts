// Live events of sessions in other processes, for consoles connected here, and ours for theirs. Costs next to nothing
// while nobody watches: a tenant's channel is tried once in 2 s, and only one that has listeners gets every event.

import { z } from 'zod'
import type { Bus } from '../platform/bus.ts'
import type { Clock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import type { LiveEvent } from './live-event.ts'

const probeMs = 2_000
/** Behind a slow Redis a console sees less, and nobody else notices. */
const maxWaiting = 200

export interface LiveShareDeps {
  readonly clock: Clock
  readonly nodeId: string
  /** Publishes to a channel. */
  readonly bus: Pick<Bus, 'tell'>
  /** Listens to one. */
  readonly open: (channel: string) => Pick<Bus, 'on' | 'close'>
}

const shared = z.object({
  from: z.string(),
  // Written by a process of the same installation; what it means is checked where it is shown.
  event: z.custom<LiveEvent>(
    (event) => typeof event === 'object' && event !== null && 'is' in event && typeof event.is === 'string',
  ),
})

interface Channel {
  readonly waiting: LiveEvent[]
  watched: boolean
  probedAtMs: number
  sending: boolean
}

const channelOf = (tenantId: TenantId): string => `live:${tenantId}`

export class LiveShare {
  readonly #deps: LiveShareDeps
  readonly #channels = new Map<TenantId, Channel>()
  readonly #open = new Map<TenantId, Pick<Bus, 'on' | 'close'>>()

  constructor(deps: LiveShareDeps) {
    this.#deps = deps
  }

  /** `make` runs only if it is sent. */
  tell(tenantId: TenantId, make: () => LiveEvent): void {
    const nowMs = this.#deps.clock.monotonicMs()
    const known = this.#channels.get(tenantId)
    const channel = known ?? { waiting: [], watched: false, probedAtMs: Number.NEGATIVE_INFINITY, sending: false }
    if (known === undefined) this.#channels.set(tenantId, channel)
    if (!channel.watched && nowMs - channel.probedAtMs < probeMs) return
    channel.probedAtMs = nowMs
    if (channel.waiting.length < maxWaiting) channel.waiting.push(make())
    if (!channel.sending) void this.#send(tenantId, channel)
  }

  async #send(tenantId: TenantId, channel: Channel): Promise<void> {
    channel.sending = true
    for (let event = channel.waiting.shift(); event !== undefined; event = channel.waiting.shift())
      channel.watched = (await this.#deps.bus.tell(channelOf(tenantId), { from: this.#deps.nodeId, event })) > 0
    channel.sending = false
  }

  /** Events of other processes; the first watcher of a tenant opens its channel. */
  watch(tenantId: TenantId, listener: (event: LiveEvent) => void): void {
    if (this.#open.has(tenantId)) return
    const channel = this.#deps.open(channelOf(tenantId))
    this.#open.set(tenantId, channel)
    channel.on((message) => {
      const parsed = shared.safeParse(message)
      if (parsed.success && parsed.data.from !== this.#deps.nodeId) listener(parsed.data.event)
    })
  }

  async unwatch(tenantId: TenantId): Promise<void> {
    const channel = this.#open.get(tenantId)
    this.#open.delete(tenantId)
    await channel?.close()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((tenantId) => this.unwatch(tenantId)))
  }
}
