// How many requests one tenant may have under way: a tenant whose servers are slow waits for itself only.

import { FetchProblem } from './fetch-problem.ts'

export interface Bulkhead {
  /** Waits for a place; the caller leaves it once. Rejects with `too_many` when the queue is full, or as `signal` says. */
  enter(key: string, signal: AbortSignal): Promise<() => void>
}

interface Room {
  inside: number
  readonly waiting: Set<() => void>
}

export function createBulkhead({ atOnce, queued }: { readonly atOnce: number; readonly queued: number }): Bulkhead {
  const rooms = new Map<string, Room>()
  const leave = (key: string, room: Room): void => {
    const [next] = room.waiting
    if (next !== undefined) {
      room.waiting.delete(next)
      next()
      return
    }
    room.inside -= 1
    if (room.inside === 0) rooms.delete(key)
  }
  return {
    async enter(key, signal) {
      const room = rooms.get(key) ?? { inside: 0, waiting: new Set() }
      rooms.set(key, room)
      if (room.inside < atOnce) room.inside += 1
      else if (room.waiting.size >= queued) throw new FetchProblem('too_many', 'Too many requests are under way.')
      else await turn(room, signal)
      let isInside = true
      return () => {
        if (!isInside) return
        isInside = false
        leave(key, room)
      }
    },
  }
}

function turn(room: Room, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const give = (): void => {
      room.waiting.delete(enter)
      reject(signal.reason)
    }
    const enter = (): void => {
      signal.removeEventListener('abort', give)
      resolve()
    }
    room.waiting.add(enter)
    signal.addEventListener('abort', give, { once: true })
  })
}
