// A caller in a LiveKit room, as the session sees it. The player is ours: it fills the agent's track at real time, so what
// was heard is known here. Words, state and events go to the room beside it.

import type { EngineEvent } from '../../engines/engines.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Problem } from '../../platform/problem.ts'
import type { EndReason, ParleyNotice } from '../../protocol/realtime.ts'
import type { Turn } from '../../protocol/turn.ts'
import type { Leg, LegPort } from '../../sessions/sessions.ts'
import { Mouth, type MouthEvents } from '../media/mouth.ts'
import type { AgentState, RoomLine } from './line.ts'
import { Outbox } from './outbox.ts'

export class LiveKitLeg implements Leg {
  readonly kind = 'livekit'
  readonly isStock = false
  readonly reportsPlayback = true
  readonly canReturn = true
  readonly staysHere = true
  readonly lastSeq = 0
  readonly keptFrames: readonly string[] = []
  readonly #clock: Clock
  readonly #outbox: Outbox
  readonly #onEnd: () => void
  #port: LegPort | undefined
  #mouth: Mouth | undefined
  #speaking = false
  #thinking = false
  #ended = false

  constructor(clock: Clock, onEnd: () => void) {
    this.#clock = clock
    this.#outbox = new Outbox(clock)
    this.#onEnd = onEnd
  }

  /** From now on everything goes to this room, and the engine's voice to its track. */
  attach(line: RoomLine, port: LegPort): void {
    this.#port = port
    this.#mouth = new Mouth(this.#clock, line.sink, this.#mouthEvents(port))
    this.#outbox.use(line)
    this.#tellState()
  }

  /** Nobody hears what is said: how far it was heard is told, then the player is gone. */
  detach(): void {
    this.#mouth?.close()
    this.#mouth = undefined
    this.#speaking = false
    this.#outbox.use(undefined)
  }

  #mouthEvents(port: LegPort): MouthEvents {
    return {
      played: (itemId, ms, final) => port.played(itemId, ms, final),
      started: () => this.#speaks(true),
      stopped: () => this.#speaks(false),
      cleared: () => this.#speaks(false),
      slow: (slow) => port.slow(slow),
      overflow: () => this.notice('engine_trouble', 'The agent speaks faster than it can be heard.'),
    }
  }

  #speaks(speaking: boolean): void {
    this.#speaking = speaking
    this.#tellState()
  }

  #thinks(thinking: boolean): void {
    this.#thinking = thinking
    this.#tellState()
  }

  #tellState(): void {
    if (!this.#ended) this.#outbox.state(this.#state)
  }

  get #state(): AgentState {
    if (this.#speaking) return 'speaking'
    return this.#thinking ? 'thinking' : 'listening'
  }

  engineEvent(event: EngineEvent): void {
    switch (event.type) {
      case 'audio':
        if (event.pcm !== undefined) this.#mouth?.push({ ...event, pcm: event.pcm })
        return
      case 'audioDone':
        this.#mouth?.complete(event.itemId)
        return
      case 'responseStarted':
        this.#thinks(true)
        return
      case 'responseDone':
        this.#mouth?.responseDone(event.responseId)
        this.#thinks(false)
        return
      case 'userSpeech':
        this.#thinks(event.phase === 'stop')
        return
      case 'userText':
        // Noise: no answer will come.
        if (event.failed !== undefined || event.final === '') this.#thinks(false)
        return
      default:
        return
    }
  }

  /** What was typed stands in its writer's own chat already. */
  turn(turn: Turn): void {
    if (turn.role === 'agent' || (turn.role === 'user' && turn.voice))
      this.#outbox.words({
        segmentId: turn.itemId,
        text: turn.text,
        final: turn.state !== 'partial',
        by: turn.role === 'agent' ? 'agent' : 'caller',
      })
  }

  notice(code: ParleyNotice['code'], text: string): void {
    this.tell({ type: 'parley.notice', code, text })
  }

  /** Beside the words: for clients that know this gateway. */
  tell(event: Readonly<Record<string, unknown>>): void {
    if (!this.#ended) this.#outbox.tell(event)
  }

  flush(itemId: string): void {
    if (this.#mouth === undefined) this.#port?.played(itemId, 0, true)
    else this.#mouth.flush(itemId)
  }

  end(reason: EndReason, problem?: Problem): void {
    if (this.#ended) return
    this.tell({ type: 'parley.end', reason, ...(problem === undefined ? {} : { problem: problem.body() }) })
    this.#ended = true
    this.#mouth?.close()
    this.#mouth = undefined
    this.#onEnd()
  }

  /** Resolves when the last words and the goodbye are on their way. */
  flushed(): Promise<void> {
    return this.#outbox.flushed()
  }

  restore(): void {
    // Nothing comes here from another process.
  }
  committed(): void {
    // A room has no replay: nobody waits for it.
  }
  goingAway(): void {
    // The place in the room is not handed over; the goodbye is `end`.
  }
  heartbeat(): void {
    // The room has its own.
  }
}
