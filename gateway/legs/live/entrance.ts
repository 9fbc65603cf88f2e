// The first moments of a connection: its `session.start`, then whatever it sends before its session is there, in order and
// bounded.

import type { Clock } from '../../platform/clock.ts'
import { Problem } from '../../platform/problem.ts'
import { type Channel, type ChannelEvents, sendEvent } from '../realtime/channel.ts'
import { Inbox } from '../realtime/inbox.ts'
import { type Event, parseClientEvent } from './client-event.ts'
import { errorEvent, type LiveError, liveError } from './live-error.ts'

const startMs = 10_000
/** A client that only sends nonsense is not waited for. */
const maxErrors = 20

export type Started =
  | { readonly is: 'started'; readonly event: Event<'session.start'> }
  | { readonly is: 'refused'; readonly error: LiveError; readonly eventId: string | undefined }
  | { readonly is: 'gone' }

export class Entrance {
  readonly channel: Channel
  readonly #clock: Clock
  readonly #inbox: Inbox
  readonly #first = Promise.withResolvers<Started>()
  #events: Pick<ChannelEvents, 'alive' | 'closed'> | undefined
  #isStarted = false
  #isClosed = false
  #errors = 0

  constructor(clock: Clock, channel: Channel) {
    this.#clock = clock
    this.channel = channel
    this.#inbox = new Inbox(() => channel.close(new Problem('too_many')))
    channel.receive({
      message: (data, binary) => {
        if (this.#isStarted) this.#inbox.push(data, binary)
        else this.#read(data, binary)
      },
      alive: () => this.#events?.alive(),
      closed: () => this.#closed(),
    })
  }

  /** The client says what it wants. */
  async started(): Promise<Started> {
    const timer = this.#clock.after(startMs, () => {
      const error = liveError('session_not_started', 'No session.start came in time.')
      this.#first.resolve({ is: 'refused', error, eventId: undefined })
    })
    const started = await this.#first.promise
    timer.cancel()
    return started
  }

  /** From now on this is told of the connection, the end of it too if it has ended. */
  watch(events: Pick<ChannelEvents, 'alive' | 'closed'>): void {
    this.#events = events
    if (this.#isClosed) events.closed()
  }

  /** What was sent since is taken now, and what comes. */
  open(take: (data: Buffer, binary: boolean) => void): void {
    this.#inbox.open(take)
  }

  #read(data: Buffer, binary: boolean): void {
    const parsed = binary
      ? ({ is: 'wrong', error: liveError('invalid_value', 'Events are text frames.'), eventId: undefined } as const)
      : parseClientEvent(data)
    if (parsed.is === 'event' && parsed.event.type === 'session.start') {
      this.#isStarted = true
      this.#first.resolve({ is: 'started', event: parsed.event })
    } else if (parsed.is === 'event') {
      const error = liveError('session_not_started', 'The first event is session.start.', 'type')
      this.#wrong(error, parsed.event.event_id)
    } else if (isStart(data)) {
      this.#isStarted = true
      this.#first.resolve({ is: 'refused', error: parsed.error, eventId: parsed.eventId })
    } else this.#wrong(parsed.error, parsed.eventId)
  }

  #wrong(error: LiveError, eventId: string | null | undefined): void {
    sendEvent(this.channel, errorEvent(error, eventId))
    if (++this.#errors >= maxErrors) this.#first.resolve({ is: 'refused', error, eventId: undefined })
  }

  #closed(): void {
    this.#isClosed = true
    this.#first.resolve({ is: 'gone' })
    this.#events?.closed()
  }
}

/** A start that is not understood is a start that failed; anything else may still be followed by one. */
function isStart(data: Buffer): boolean {
  return /"type"\s*:\s*"session\.start"/.test(data.toString('utf8'))
}
