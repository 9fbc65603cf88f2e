// From a caller who wants a room, or stands in one, to a running session with our agent in that room.

import type { Clock } from '../../platform/clock.ts'
import { withDeadline } from '../../platform/deadline.ts'
import type { Log } from '../../platform/log.ts'
import { Problem } from '../../platform/problem.ts'
import type { Opened, Sessions } from '../../sessions/sessions.ts'
import { type Caller, type CallerDeps, requestOf } from '../realtime/caller.ts'
import { Call } from './call.ts'
import { LiveKitLeg } from './livekit-leg.ts'
import type { Native } from './native.ts'
import { joinRoom } from './room-line.ts'
import type { Rooms } from './rooms.ts'
import { agentIdentity, agentToken, type LiveKitKeys } from './tokens.ts'

/** A server that does not answer must not keep a process from stopping. */
const closeMs = 10_000

export interface DeskDeps extends CallerDeps {
  readonly clock: Clock
  readonly log: Log
  readonly sessions: Sessions
  readonly keys: LiveKitKeys
  /** Where this process reaches the server. */
  readonly url: string
  readonly rooms: Rooms
  readonly native: Native
}

export interface Ask {
  readonly caller: Caller
  readonly ip: string
  readonly room: string
  /** The caller's in the room. */
  readonly identity: string
  /** When the session is over: everybody is sent out, or this caller only, or nobody but our agent goes. */
  readonly after: 'close_room' | 'send_out' | 'leave'
}

export interface Answered {
  readonly opened: Opened
  readonly agent: { readonly slug: string; readonly name: string; readonly identity: string }
}

export class Desk {
  readonly #deps: DeskDeps
  readonly #calls = new Set<Call>()

  constructor(deps: DeskDeps) {
    this.#deps = deps
  }

  /** Calls that hold something in this process. */
  get size(): number {
    return this.#calls.size
  }

  /** Our agent is in the room when this resolves; the session begins when the caller is. Throws a Problem. */
  async open(ask: Ask): Promise<Answered> {
    const { clock, native, sessions, rooms } = this.#deps
    let call: Call | undefined
    const leg = new LiveKitLeg(clock, () => void call?.leave())
    const request = await requestOf(this.#deps, ask.caller, { ip: ask.ip, leg })
    const rtc = await native.load()
    if (rtc === undefined) throw new Problem('livekit_unavailable')
    const { brief } = request
    const identity = agentIdentity(ask.room, ask.identity)
    const seat = { room: ask.room, identity, name: brief.name, caller: ask.identity }
    const opened = await sessions.open({ ...request, outputModality: 'audio' })
    call = new Call({
      clock,
      log: this.#deps.log.child({ tenantId: ask.caller.tenantId, sessionId: opened.sessionId }),
      leg,
      opened,
      join: async (events) => {
        if (ask.after === 'close_room') await rooms.create(ask.room)
        const token = await agentToken(this.#deps.keys, seat)
        return joinRoom({ rtc, url: this.#deps.url, token, caller: ask.identity, events, clock })
      },
      onOver: () => this.#after(ask),
    })
    const made = call
    this.#calls.add(made)
    void made.over.then(() => this.#calls.delete(made))
    await made.enter()
    return { opened, agent: { slug: brief.slug, name: brief.name, identity } }
  }

  async #after({ after, room, identity }: Ask): Promise<void> {
    if (after === 'close_room') await this.#deps.rooms.close(room)
    if (after === 'send_out') await this.#deps.rooms.sendOut(room, identity)
  }

  /** When the sessions have ended: resolves when every room was left and the native client is gone. */
  async close(): Promise<void> {
    const all = Promise.all([...this.#calls].map((call) => call.over))
    await withDeadline(all, { timeoutMs: closeMs, clock: this.#deps.clock, fallback: () => [] })
    await this.#deps.native.dispose()
  }
}
