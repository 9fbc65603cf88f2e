// One call: a peer joined to a session, from the answered offer to the last word. Whichever ends first ends the other.

import type { Clock, Timer } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { LegPort } from '../../sessions/sessions.ts'
import { Ear } from '../media/ear.ts'
import type { Channel } from '../realtime/channel.ts'
import type { Again, Joined } from '../realtime/joined.ts'
import { DataChannel, NoChannel } from './data-channel.ts'
import type { NativeAudio, NativeChannel, PeerState } from './native.ts'
import type { Peer } from './peer.ts'

/** From the answer to the open channel. */
const connectMs = 15_000
/** A network that comes back within this is as if nothing had been; who can return is given up sooner. */
const disconnectedMs = { stock: 8_000, parley: 4_000 }
/** A session that ended says its last words over a channel that closes itself. */
const lingerMs = 2_000

/** What the call is joined to. */
export interface Target {
  readonly joined: Joined
  readonly port: LegPort
  readonly again: Again
  /** `taken`: from another process; `here`: it waits in this one. */
  readonly from: 'new' | 'taken' | 'here'
  /** Connects the engine. Missing: the session runs already and waits for its client. */
  readonly start: (() => void) | undefined
  /** The `session.update` that came with the offer. */
  readonly update: string | undefined
  readonly parley: boolean
}

export interface CallOptions {
  readonly clock: Clock
  readonly log: Log
  readonly peer: Peer
  readonly hasChannel: boolean
  readonly target: Target
  readonly onOver: () => void
}

type CallChannel = Channel & { closed(): void }

export class Call {
  readonly #options: CallOptions
  readonly #ear: Ear
  readonly #waiting: Timer
  #channel: CallChannel | undefined
  #away: Timer | undefined
  #isOver = false

  constructor(options: CallOptions) {
    this.#options = options
    const { clock, peer, target } = options
    this.#ear = new Ear({
      take: (pcm) => {
        if (this.#channel !== undefined) target.joined.hear(this.#channel, pcm)
      },
      backlogBytes: () => target.port.backlogBytes,
    })
    this.#waiting = clock.after(connectMs, () => this.#neverCame())
    peer.listen({
      channel: (native) => this.#offered(native),
      audio: (audio) => this.#hear(audio),
      state: (state) => this.#state(state),
    })
    void target.port.ended.then(() => clock.after(lingerMs, () => this.over()))
  }

  /** The caller hangs up by HTTP. */
  hangUp(): void {
    this.#options.target.port.bye()
  }

  over(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#waiting.cancel()
    this.#away?.cancel()
    this.#options.peer.close()
    this.#channel?.closed()
    if (this.#ear.droppedMs > 0)
      this.#options.log.warn({ droppedMs: Math.round(this.#ear.droppedMs) }, 'the engine did not take all of a voice')
    this.#options.onOver()
  }

  #hear({ samples, sampleRate, channelCount }: NativeAudio): void {
    if (this.#channel !== undefined) this.#ear.hear(samples, sampleRate, channelCount ?? 1)
  }

  /** The first channel is for the events; others are closed. */
  #offered(native: NativeChannel): void {
    if (this.#channel !== undefined || this.#isOver) {
      native.close()
      return
    }
    const { clock, target } = this.#options
    const channel = new DataChannel(native, {
      clock,
      parley: target.parley,
      isConnected: () => this.#isConnected,
      close: () => this.over(),
      onClosed: () => this.#left(),
    })
    this.#channel = channel
    channel.whenOpen(() => this.#attach(channel))
  }

  get #isConnected(): boolean {
    return this.#options.peer.state === 'connected'
  }

  #attach(channel: CallChannel): void {
    if (this.#isOver) return
    const { target, peer } = this.#options
    this.#waiting.cancel()
    target.joined.attach({ kind: 'webrtc', channel, sink: peer }, target.again)
    if (target.update !== undefined) target.joined.tell(channel, target.update)
    target.start?.()
  }

  #state(state: PeerState): void {
    this.#away?.cancel()
    this.#away = undefined
    if (state === 'failed' || state === 'closed') this.over()
    else if (state === 'disconnected') {
      const { parley } = this.#options.target
      const ms = parley ? disconnectedMs.parley : disconnectedMs.stock
      this.#away = this.#options.clock.after(ms, () => this.over())
    } else if (state === 'connected' && !this.#options.hasChannel && this.#channel === undefined) {
      this.#channel = new NoChannel({ isConnected: () => this.#isConnected, close: () => this.over() })
      this.#attach(this.#channel)
    }
  }

  /** The other end closed its channel. A stock client has no other goodbye; ours says one if it means it. */
  #left(): void {
    if (this.#isConnected && !this.#options.target.parley) this.#options.target.port.bye()
    this.over()
  }

  /** No connection came about: nothing is owed, and who has a session elsewhere keeps it. */
  #neverCame(): void {
    const { target, log, clock } = this.#options
    log.info({ code: 'timeout' }, 'a call was answered and never connected')
    if (target.from === 'new') target.port.bye()
    else if (target.from === 'taken') {
      // It was another process's: its client may still come back another way.
      target.start?.()
      target.port.lost(clock.monotonicMs())
    }
    this.over()
  }
}
