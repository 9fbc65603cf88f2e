// Everybody a session is told to: its client, and whoever attached to it. An observer that does not read loses its
// connection; the call never waits for it.

import { newId } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'
import type { Channel } from '../realtime/channel.ts'
import type { LiveEvent } from './live-error.ts'

/** Ten seconds of both directions of a call, as JSON. */
const observerBytes = 1024 * 1024
export const maxObservers = 8

export class Outlets {
  readonly #client: (frame: string) => void
  readonly #observers = new Set<Channel>()

  constructor(client: (frame: string) => void) {
    this.#client = client
  }

  get isObserved(): boolean {
    return this.#observers.size > 0
  }

  /** False: there are enough. */
  add(observer: Channel): boolean {
    if (this.#observers.size >= maxObservers) return false
    this.#observers.add(observer)
    return true
  }

  remove(observer: Channel): void {
    this.#observers.delete(observer)
  }

  /** An event for all. `clientEventId`: the command that it answers. */
  say(event: LiveEvent, clientEventId?: string | null): LiveEvent {
    const whole = stamped(event, clientEventId)
    const frame = JSON.stringify(whole)
    this.#client(frame)
    for (const observer of this.#observers) this.#send(observer, frame)
    return whole
  }

  /** Sound as observers get it; the client has its own. */
  reflect(event: LiveEvent): void {
    const frame = JSON.stringify(event)
    for (const observer of this.#observers) this.#send(observer, frame)
  }

  end(problem: Problem | undefined): void {
    for (const observer of this.#observers) observer.close(problem)
    this.#observers.clear()
  }

  #send(observer: Channel, frame: string): void {
    if (observer.bufferedBytes > observerBytes) {
      this.#observers.delete(observer)
      observer.close(new Problem('too_slow'))
    } else observer.send(frame, false)
  }
}

export function stamped(event: LiveEvent, clientEventId?: string | null): LiveEvent {
  const { type, ...rest } = event
  const from = clientEventId == null ? {} : { client_event_id: clientEventId }
  return { type, event_id: newId('event'), ...rest, ...from }
}
