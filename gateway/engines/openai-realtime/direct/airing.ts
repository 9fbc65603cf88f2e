// How much of an answer was heard where its sound goes past us. The provider tells when it begins and ends to play, and where
// the person cut in; the length of what is generated is estimated from its words.

import type { Clock } from '../../../platform/clock.ts'
import type { EngineEvent } from '../../engines.ts'
import { Recent } from '../../recent.ts'

type Event<T extends EngineEvent['type']> = Extract<EngineEvent, { type: T }>
type Events = readonly EngineEvent[]

/** 16 characters a second; corrected by every answer that is played to its end. */
const firstMsPerChar = 62
const leastMsPerChar = 30
const mostMsPerChar = 150
/** Of one full answer against what was known before. */
const weight = 0.5
/** A rate taken from a word or two is none. */
const measurableChars = 40

interface Answer {
  chars: number
  playsFromMs: number | undefined
  /** Told when it begins to play. */
  waiting: EngineEvent[]
}

export class Airing {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #answers = new Recent<Answer>()
  #msPerChar = firstMsPerChar

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  /** What an event of the provider means where nothing is played by us. */
  events(event: EngineEvent, responseId?: string): Events {
    switch (event.type) {
      case 'audio':
        // Some servers repeat it on the control: it is on its way to the person already.
        return []
      case 'agentText':
        return event.spoken && event.delta !== undefined ? this.#words(event, event.delta) : [event]
      case 'audioDone':
      case 'responseDone':
        return [...this.#begins(event.responseId), event]
      case 'native':
        return [...this.#buffer(event.name, responseId), event]
      default:
        return [event]
    }
  }

  #words(event: Event<'agentText'>, delta: string): Events {
    const { responseId, itemId } = event
    const answer = this.#answers.get(responseId) ?? { chars: 0, playsFromMs: undefined, waiting: [] }
    this.#answers.set(responseId, answer)
    answer.chars += delta.length
    const sound: EngineEvent = {
      type: 'audio',
      source: 'inferred',
      responseId,
      itemId,
      ms: delta.length * this.#msPerChar,
    }
    if (answer.playsFromMs !== undefined) return [event, sound]
    answer.waiting.push(sound)
    return [event]
  }

  /** A server that does not tell when it plays has played by the end. */
  #begins(responseId: string | undefined): Events {
    const answer = this.#answers.get(responseId ?? '')
    if (answer === undefined || answer.playsFromMs !== undefined) return []
    answer.playsFromMs = this.#clock.monotonicMs()
    return answer.waiting.splice(0)
  }

  #buffer(name: string, responseId: string | undefined): Events {
    if (name === 'output_audio_buffer.started') return this.#begins(responseId)
    if (name === 'output_audio_buffer.stopped') this.#measure(responseId)
    return []
  }

  #measure(responseId: string | undefined): void {
    const { chars = 0, playsFromMs } = this.#answers.get(responseId ?? '') ?? {}
    if (playsFromMs === undefined || chars < measurableChars) return
    const measured = (this.#clock.monotonicMs() - playsFromMs) / chars
    if (measured < leastMsPerChar || measured > mostMsPerChar) return
    this.#msPerChar += (measured - this.#msPerChar) * weight
  }
}
