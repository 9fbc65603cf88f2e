// One message of a conversation at a time, in the order in which they came, over any number of processes. Waiting is bounded.

import type { Clock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import type { Log } from '../platform/log.ts'
import { Problem } from '../platform/problem.ts'
import type { LineStore } from './line-store.ts'

export interface Place {
  readonly tenantId: TenantId
  readonly conversationId: string
  /** Of the inbound message. */
  readonly id: string
}

export interface LinesDeps {
  readonly store: LineStore
  readonly clock: Clock
  readonly log: Log
  /**
   * Somebody else's message is first: goes on with it where its owner is gone, takes it out where it is over. True: something
   * changed.
   */
  readonly rescue: (place: Place) => Promise<boolean>
}

/** A person at a chat has given up by then. */
export const waitMs = 60_000
const pollMs = { least: 15, most: 250 } as const
const fullRetryMs = 2_000

interface Lane {
  readonly waiters: Map<string, PromiseWithResolvers<void>>
  /** Ends the pause between two looks. */
  wake: () => void
  /** The message of this process that has its turn. */
  current: { readonly id: string; readonly left: PromiseWithResolvers<void> } | undefined
  running: boolean
}

export class Lines {
  readonly #deps: LinesDeps
  readonly #lanes = new Map<string, Lane>()

  constructor(deps: LinesDeps) {
    this.#deps = deps
  }

  /** Resolves when it is this message's turn; whoever entered must leave. Throws `too_many`, and is out of the line then. */
  async enter(place: Place): Promise<void> {
    const { store, clock } = this.#deps
    const { tenantId, conversationId, id } = place
    if ((await store.join(tenantId, conversationId, id)) === 'full')
      throw new Problem('too_many', 'Too many messages of this conversation wait.', { retryAfterMs: fullRetryMs })
    const lane = this.#lane(conversationId)
    const turn = Promise.withResolvers<void>()
    lane.waiters.set(id, turn)
    const timer = clock.after(waitMs, () => {
      if (lane.waiters.get(id) !== turn) return
      lane.waiters.delete(id)
      turn.reject(new Problem('too_many', 'The messages before this one take too long.', { retryAfterMs: fullRetryMs }))
    })
    if (lane.running) lane.wake()
    else void this.#run(place, lane)
    try {
      await turn.promise
    } finally {
      timer.cancel()
    }
  }

  /** Safe to call for one that is not in the line. */
  async leave({ tenantId, conversationId, id }: Place): Promise<void> {
    const lane = this.#lanes.get(conversationId)
    try {
      await this.#deps.store.leave(tenantId, conversationId, id)
    } finally {
      if (lane?.current?.id === id) lane.current.left.resolve()
      lane?.wake()
    }
  }

  #lane(conversationId: string): Lane {
    const known = this.#lanes.get(conversationId)
    if (known !== undefined) return known
    const lane: Lane = { waiters: new Map(), wake: () => undefined, current: undefined, running: false }
    this.#lanes.set(conversationId, lane)
    return lane
  }

  async #run(place: Place, lane: Lane): Promise<void> {
    lane.running = true
    let ms: number = pollMs.least
    while (lane.waiters.size > 0) {
      const moved = await this.#step(place, lane).catch((error: unknown) => {
        this.#deps.log.warn({ err: error, conversationId: place.conversationId }, 'the line of a conversation is stuck')
        return false
      })
      ms = moved ? pollMs.least : Math.min(ms * 2, pollMs.most)
      if (!moved) await this.#pause(lane, ms)
    }
    lane.running = false
    this.#lanes.delete(place.conversationId)
  }

  async #step({ tenantId, conversationId }: Place, lane: Lane): Promise<boolean> {
    const [head] = await this.#deps.store.waiting(tenantId, conversationId)
    if (head === undefined) return false
    const turn = lane.waiters.get(head)
    if (turn === undefined) return this.#deps.rescue({ tenantId, conversationId, id: head })
    lane.waiters.delete(head)
    const left = Promise.withResolvers<void>()
    lane.current = { id: head, left }
    turn.resolve()
    await left.promise
    lane.current = undefined
    return true
  }

  #pause(lane: Lane, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#deps.clock.after(ms, resolve)
      lane.wake = () => {
        timer.cancel()
        resolve()
      }
    })
  }
}
