// What is different for the engine when sound goes past it: its line is a call, its provider has another client, and what was
// heard is told instead of counted.

import type { z } from 'zod'
import type { Clock } from '../../../platform/clock.ts'
import type { DirectCall, EngineEvent } from '../../engines.ts'
import { Call, type CallEvents } from '../../upstream/call.ts'
import type { WireEvent } from '../commands.ts'
import type { anyEvent } from '../events.ts'
import type { Reader } from '../reader.ts'
import { Airing } from './airing.ts'
import { CatchUp, textOf } from './catch-up.ts'
import { Guard } from './guard.ts'
import { callProtocol, type Provider } from './protocol.ts'

type Raw = z.output<typeof anyEvent>
type Events = readonly EngineEvent[]

export interface DirectEvents extends Pick<CallEvents, 'frame' | 'refused' | 'gone'> {
  /** For the first time: the session is to be configured. */
  attached(): void
  /** The control went away, or is back. */
  gap(isOver: boolean, code: string): void
  /** What was missed. */
  missed(events: Events): void
  tampered(what: string, isUnbearable: boolean): void
}

export interface DirectNeeds {
  readonly provider: Provider
  readonly clock: Clock
  /** What the provider is told of the session, beside the offer. */
  readonly session: Readonly<Record<string, unknown>>
  readonly direct: DirectCall
  readonly reader: Reader
}

export class Direct {
  readonly call: Call
  readonly #guard: Guard
  readonly #airing: Airing
  readonly #catchUp: CatchUp

  constructor(needs: DirectNeeds, on: DirectEvents) {
    const { clock, reader, provider, session, direct } = needs
    this.#airing = new Airing(clock)
    this.#catchUp = new CatchUp(clock, reader)
    this.call = new Call(clock, callProtocol(provider, session), direct, {
      frame: (frame) => on.frame(frame),
      refused: (refusal) => on.refused(refusal),
      gone: (gone) => on.gone(gone),
      detached: (code) => {
        this.#guard.gap()
        this.#catchUp.away()
        on.gap(false, code)
      },
      attached: (again) => {
        if (!again) {
          on.attached()
          return
        }
        on.gap(true, '')
        this.call.release(
          this.#catchUp.back((events) => on.missed(events.flatMap((each) => this.#airing.events(each)))),
        )
      },
    })
    this.#guard = new Guard({
      putBack: (event) => void this.call.send(JSON.stringify(event)),
      offence: (what) => on.tampered(what, false),
      unbearable: (what) => on.tampered(what, true),
    })
  }

  /** A frame of ours, as it has to be sent. */
  sent(event: WireEvent): WireEvent {
    const marked = this.#guard.sent(event)
    this.#catchUp.sent(marked)
    return marked
  }

  /** Of one frame of the provider: what the reader makes of it, and what that means here. */
  read(event: Raw, wire: Buffer, read: () => Events): Events {
    this.#guard.saw(event)
    const isOurs = this.#catchUp.saw(event)
    const told = isOurs
      ? this.#missed(event, wire)
      : this.#written(event, read()).flatMap((each) => this.#catchUp.events(each))
    return told.flatMap((each) => this.#airing.events(each, event.response_id))
  }

  /** What the person wrote over the page's own channel: nobody but the provider tells its words. */
  #written(event: Raw, told: Events): Events {
    const item = told.find((each) => each.type === 'userItem' && !each.spoken && !this.#guard.owns(each.itemId))
    const final = textOf(event)
    if (item?.type !== 'userItem' || final === undefined) return told
    return [...told, { type: 'userText', source: 'provider', itemId: item.itemId, final }]
  }

  /** No sign of life of the answer that it belongs to. */
  #missed(event: Raw, wire: Buffer): Events {
    return event.type === 'error' ? [] : this.#catchUp.retrieved(event, wire)
  }

  /** What is still to be said of the bill. */
  close(): Events {
    return this.#catchUp.close()
  }
}
