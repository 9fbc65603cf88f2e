// The connections of this process: opened when first used, shared by the calls of one tenant to one server, closed when
// nobody has used them for a while. A server that hangs holds up its own calls only; one that is down is left alone for a time.

import type { Clock, Timer } from '../../platform/clock.ts'
import type { TenantId } from '../../platform/ids.ts'
import type { Log } from '../../platform/log.ts'
import { Problem } from '../../platform/problem.ts'
import type { Connection } from './connection.ts'
import { createLane, type Lane } from './lane.ts'
import type { Place } from './place.ts'

/** Which connection: another address or another secret is another one. */
export interface Target {
  readonly tenantId: TenantId
  readonly serverId: string
  /** What it was made of; one made of something else is closed. */
  readonly mark: string
  readonly place: Place
}

export interface Pool {
  /** `too_many` when too many wait already, `unavailable` while the server is down, and what `run` throws. */
  use<T>(target: Target, signal: AbortSignal, run: (connection: Connection) => Promise<T>): Promise<T>
  /** Closes what is open to a server. */
  forget(tenantId: TenantId, serverId: string): Promise<void>
  /** Nothing is opened after it. */
  drain(): Promise<void>
}

/** Calls of one tenant, to all its servers: four servers that hang hold it up, three do not. */
const perTenant = 32
const maxLanes = 200
const idleMs = 300_000

interface Kept {
  readonly tenantId: TenantId
  readonly mark: string
  readonly lane: Lane
}

export function createPool({ clock, log }: { readonly clock: Clock; readonly log: Log }): Pool {
  const lanes = new Map<string, Kept>()
  let isOver = false
  let sweeper: Timer | undefined

  const drop = (key: string): void => {
    const kept = lanes.get(key)
    lanes.delete(key)
    void kept?.lane.close()
  }
  const idle = () => [...lanes].filter(([, { lane }]) => lane.running === 0 && lane.waiting === 0)
  const sweep = (): void => {
    for (const [key, { lane }] of idle()) if (clock.monotonicMs() - lane.usedAtMs >= idleMs) drop(key)
  }
  const makeRoom = (): void => {
    const [oldest] = idle().sort(([, a], [, b]) => a.lane.usedAtMs - b.lane.usedAtMs)
    if (oldest === undefined)
      throw new Problem('too_many', 'Too many tool servers are in use.', { retryAfterMs: 1_000 })
    drop(oldest[0])
  }
  const laneOf = ({ tenantId, serverId, mark, place }: Target): Lane => {
    const key = keyOf(tenantId, serverId)
    const known = lanes.get(key)
    if (known?.mark === mark) return known.lane
    drop(key)
    if (lanes.size >= maxLanes) makeRoom()
    const onFailed = (error: unknown, pauseMs: number) =>
      log.warn({ err: error, tenantId, serverId, pauseMs }, 'tool server does not connect')
    const lane = createLane({ place, clock, onFailed })
    lanes.set(key, { tenantId, mark, lane })
    sweeper ??= clock.every(idleMs / 5, sweep)
    return lane
  }
  const callsOf = (tenantId: TenantId): number =>
    [...lanes.values()]
      .filter((each) => each.tenantId === tenantId)
      .reduce((sum, { lane }) => sum + lane.running + lane.waiting, 0)

  return {
    async use(target, signal, run) {
      if (isOver) throw new Problem('draining')
      if (callsOf(target.tenantId) >= perTenant)
        throw new Problem('too_many', 'Too many calls to tool servers are under way.', { retryAfterMs: 1_000 })
      const lane = laneOf(target)
      const leave = await lane.enter(signal)
      try {
        // Whoever waits for a connection that hangs waits no longer than the call may take.
        const result = await run(await orAborted(lane.connection(), signal))
        lane.answered()
        return result
      } finally {
        leave()
      }
    },
    async forget(tenantId, serverId) {
      const key = keyOf(tenantId, serverId)
      const kept = lanes.get(key)
      lanes.delete(key)
      await kept?.lane.close()
    },
    async drain() {
      isOver = true
      sweeper?.cancel()
      await Promise.all([...lanes.values()].map(({ lane }) => lane.close()))
      lanes.clear()
    },
  }
}

const keyOf = (tenantId: TenantId, serverId: string) => JSON.stringify([tenantId, serverId])

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const over = () => new Problem('timeout', 'The server did not answer in time.')
  if (signal.aborted) throw over()
  const end = Promise.withResolvers<never>()
  const stop = () => end.reject(over())
  signal.addEventListener('abort', stop, { once: true })
  work.catch(() => undefined)
  try {
    return await Promise.race([work, end.promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
