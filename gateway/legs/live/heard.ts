// What the person said, as transcript: once, whether the engine tells it word by word or at the end.

import type { EngineEvent } from '../../engines/engines.ts'
import type { LiveEvent } from './live-error.ts'

export interface HeardNeeds {
  readonly nowMs: () => number
  readonly tell: (event: LiveEvent) => void
}

interface Speech {
  readonly startMs: number
  /** In the engine's own time, which is its input's. */
  readonly fromMs: number
  lengthMs: number
  endMs: number | undefined
  text: string
}

type Event<T extends EngineEvent['type']> = Extract<EngineEvent, { type: T }>

/** Words come within this after the end of speech, or are not waited for. */
const wordsMs = 1_000
/** More stretches of speech than wait for their words at a time. */
const kept = 64

export class Heard {
  readonly #needs: HeardNeeds
  readonly #speeches = new Map<string, Speech>()

  constructor(needs: HeardNeeds) {
    this.#needs = needs
  }

  /** Somebody has just spoken, and nobody has the words yet. */
  get isDue(): boolean {
    const now = this.#needs.nowMs()
    return [...this.#speeches.values()].some(
      ({ endMs, text }) => endMs !== undefined && text === '' && now - endMs < wordsMs,
    )
  }

  speech({ phase, itemId, atMs }: Event<'userSpeech'>): void {
    if (phase === 'start') this.#begin(itemId, atMs)
    const speech = this.#speeches.get(itemId)
    if (phase !== 'stop' || speech === undefined) return
    speech.lengthMs = Math.max(0, atMs - speech.fromMs)
    speech.endMs = this.#needs.nowMs()
  }

  text({ itemId, delta, final, failed, heardMs = 0 }: Event<'userText'>): void {
    const speech = this.#speeches.get(itemId) ?? this.#begin(itemId, 0)
    if (speech.lengthMs === 0) speech.lengthMs = heardMs
    if (delta !== undefined) this.#tell(speech, delta)
    // Corrected words cannot be taken back: the protocol only adds.
    if (final?.startsWith(speech.text) === true) this.#tell(speech, final.slice(speech.text.length))
    if (failed !== undefined) {
      const message = 'What the person said could not be put into words.'
      this.#needs.tell({ type: 'info', code: 'input_not_transcribed', message })
    }
    if (final !== undefined || failed !== undefined) this.#speeches.delete(itemId)
  }

  #begin(itemId: string, fromMs: number): Speech {
    const speech = { startMs: this.#needs.nowMs(), fromMs, lengthMs: 0, endMs: undefined, text: '' }
    this.#speeches.set(itemId, speech)
    const [oldest] = this.#speeches.keys()
    if (this.#speeches.size > kept && oldest !== undefined) this.#speeches.delete(oldest)
    return speech
  }

  #tell(speech: Speech, delta: string): void {
    if (delta === '') return
    speech.text += delta
    const endMs = speech.endMs ?? this.#needs.nowMs()
    // Sound that was sent all at once was heard faster than it was spoken.
    const startMs = Math.max(0, Math.min(speech.startMs, Math.round(endMs - speech.lengthMs)))
    this.#needs.tell({ type: 'session.input_transcript.delta', delta, start_ms: startMs, end_ms: endMs })
  }
}
