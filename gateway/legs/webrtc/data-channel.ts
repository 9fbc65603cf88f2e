// The data channel of a peer as the channel of a leg: events both ways, no audio.

import type { Clock } from '../../platform/clock.ts'
import { Problem } from '../../platform/problem.ts'
import { type Channel, type ChannelEvents, type Frame, sendEvent } from '../realtime/channel.ts'
import { Inbox } from '../realtime/inbox.ts'
import type { NativeChannel } from './native.ts'

/** What browsers take in one message, and what the library says that it takes. */
export const maxMessageBytes = 256 * 1024
/** The last words get this long to leave; then the connection is closed with or without them. */
const lastWordsMs = 1_000
/** Handed to the transport is not yet arrived. */
const arriveMs = 150
const pollMs = 20
/** Well below what makes an engine wait. */
const askBytes = 32 * 1024

export interface DataChannelOptions {
  readonly clock: Clock
  readonly parley: boolean
  readonly isConnected: () => boolean
  /** The peer goes with its channel. */
  readonly close: () => void
  /** The other end closed it. */
  readonly onClosed: () => void
}

export class DataChannel implements Channel {
  readonly parley: boolean
  readonly #options: DataChannelOptions
  readonly #native: NativeChannel
  readonly #inbox: Inbox
  #events: ChannelEvents | undefined
  #isOpened: boolean
  #isClosing = false
  #isClosed = false
  /** Was waiting when last asked, and was sent since. */
  #mostBuffered = 0

  constructor(native: NativeChannel, options: DataChannelOptions) {
    this.#isOpened = native.readyState === 'open'
    this.parley = options.parley
    this.#options = options
    this.#native = native
    this.#inbox = new Inbox(() => this.close(new Problem('too_many')))
    native.binaryType = 'arraybuffer'
    native.onmessage = ({ data }) => this.#took(data)
    native.onclose = () => options.onClosed()
  }

  get isOpen(): boolean {
    return this.#isOpened && !this.#isClosed
  }

  /** Asking the library costs as much as sending: it is asked when there might be something to tell. */
  get bufferedBytes(): number {
    if (!this.isOpen) return 0
    if (this.#mostBuffered > askBytes) this.#mostBuffered = this.#native.bufferedAmount
    return this.#mostBuffered
  }

  /** The connection stands; `onOpen` comes once, or at once. */
  whenOpen(onOpen: () => void): void {
    if (this.#isOpened) onOpen()
    else
      this.#native.onopen = () => {
        this.#isOpened = true
        onOpen()
      }
  }

  receive(events: ChannelEvents): void {
    this.#events = events
    this.#inbox.open((data, binary) => events.message(data, binary))
    if (this.#isClosed) events.closed()
  }

  #took(data: string | ArrayBuffer): void {
    if (this.#isClosed || this.#isClosing) return
    const bytes = Buffer.from(typeof data === 'string' ? data : new Uint8Array(data))
    if (bytes.length > maxMessageBytes) this.close(new Problem('too_large'))
    else this.#inbox.push(bytes, typeof data !== 'string')
  }

  send(frame: Frame, binary: boolean): void {
    if (!this.isOpen || this.#isClosing) return
    const length = typeof frame === 'string' ? Buffer.byteLength(frame) : frame.length
    if (length > maxMessageBytes) this.#tooLarge(frame, length)
    // A provider's frame comes as bytes and is text.
    else {
      this.#mostBuffered += length
      this.#give(binary || typeof frame === 'string' ? frame : Buffer.from(frame).toString('utf8'))
    }
  }

  /** It may close in another thread between the question and the sending: its own event tells so a moment later. */
  #give(data: string | Uint8Array): void {
    try {
      this.#native.send(data)
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'InvalidStateError') throw error
    }
  }

  /** Told instead of lost. */
  #tooLarge(frame: Frame, length: number): void {
    const head = Buffer.from(frame.slice(0, 200)).toString('utf8')
    const type = /"type":"([\w.]+)"/.exec(head)?.[1] ?? 'unknown'
    const message = `An event of type ${type} has ${length} bytes; a data channel takes ${maxMessageBytes}.`
    sendEvent(this, {
      type: 'error',
      error: { type: 'server_error', code: 'event_too_large', message, param: null, event_id: null },
    })
  }

  ping(): void {
    if (this.#options.isConnected()) this.#events?.alive()
  }

  pause(): void {
    this.#inbox.pause()
  }

  resume(): void {
    this.#inbox.resume()
  }

  /** A data channel has no closing words: who wants to know why was sent an event. */
  close(_problem?: Problem): void {
    if (this.#isClosing || this.#isClosed) return
    this.#isClosing = true
    const { clock, close } = this.#options
    const untilMs = clock.monotonicMs() + lastWordsMs
    const look = clock.every(pollMs, () => {
      if (this.isOpen && this.#native.bufferedAmount > 0 && clock.monotonicMs() < untilMs) return
      look.cancel()
      clock.after(arriveMs, close)
    })
  }

  terminate(): void {
    this.#options.close()
  }

  /** It is gone, whoever closed it. */
  closed(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#native.onmessage = null
    this.#native.onclose = null
    this.#native.onopen = null
    this.#events?.closed()
  }
}

/** For a peer that brought no channel: it is talked with, and told nothing. */
export class NoChannel implements Channel {
  readonly parley = false
  readonly bufferedBytes = 0
  readonly #options: Pick<DataChannelOptions, 'isConnected' | 'close'>
  #events: ChannelEvents | undefined
  #isClosed = false

  constructor(options: Pick<DataChannelOptions, 'isConnected' | 'close'>) {
    this.#options = options
  }
  get isOpen(): boolean {
    return !this.#isClosed
  }
  receive(events: ChannelEvents): void {
    this.#events = events
  }
  send(): void {}
  ping(): void {
    if (this.#options.isConnected()) this.#events?.alive()
  }
  pause(): void {}
  resume(): void {}
  close(): void {
    this.#options.close()
  }
  terminate(): void {
    this.#options.close()
  }
  closed(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#events?.closed()
  }
}
