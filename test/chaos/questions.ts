// What a client of a chaos run asks, and what became of it: one question at a time, each with a tag of its own.

import type { Random } from './random.ts'
import type { Asked, ClientRecord, SeenItem } from './record.ts'
import { isWhole, questionOf } from './script.ts'
import type { WireTurn } from './wire.ts'

export interface QuestionsOptions {
  readonly record: ClientRecord
  readonly random: Random
  /** Pause between an answer and the next question. */
  readonly thinkMs: readonly [least: number, most: number]
  /** So long a person waits for an answer to be stored before the next question. */
  readonly patienceMs: number
  /** The session that can be asked now. Without one there is nobody to ask: the next begins with a question. */
  readonly session: () => string | undefined
  /** Its socket works. */
  readonly live: () => boolean
  readonly playing: () => boolean
  /** What was to be heard of this item was played to its end. */
  readonly heard: (itemId: string) => boolean
  readonly say: (itemId: string, text: string) => void
}

const answerMs = 20_000
/** The 20 turns of a history hold at least this many questions. */
const historyAsked = 4

export class Questions {
  readonly #options: QuestionsOptions
  readonly #record: ClientRecord
  #asking = true
  #number = 0
  #progressAtMs = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #idle: (() => void)[] = []

  constructor(options: QuestionsOptions) {
    this.#options = options
    this.#record = options.record
  }

  get #last(): Asked | undefined {
    return this.#record.asked.at(-1)
  }

  /** The last one has its answer, or none is waited for. */
  get #waitingForNothing(): boolean {
    const last = this.#last
    return last === undefined || last.answeredAtMs !== undefined || last.givenUp !== undefined
  }

  get #isIdle(): boolean {
    if (this.#options.playing()) return false
    return this.#waitingForNothing && (this.#last === undefined || this.#last.committedAtMs !== undefined)
  }

  /** No further questions; true when the last one was answered, heard and stored, false after `timeoutMs`. */
  async settle(timeoutMs: number): Promise<boolean> {
    this.stop()
    if (this.#isIdle) return true
    return new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs)
      this.#idle.push(() => {
        clearTimeout(timer)
        resolve(true)
      })
    })
  }

  stop(): void {
    this.#asking = false
    clearTimeout(this.#timer)
  }

  /** Something of an answer came or was heard. */
  progress(): void {
    this.#progressAtMs = performance.now()
    const last = this.#last
    if (last === undefined) return
    if (last.answeredAtMs === undefined && this.#answerOf(last.tag) !== undefined) {
      last.answeredAtMs = performance.now()
      this.#askLater()
    }
    this.#tellIdle()
  }

  committed(itemId: string): void {
    const asked = this.#record.asked.find((each) => each.itemId === itemId)
    if (asked !== undefined) asked.committedAtMs ??= performance.now()
  }

  /** A session is there, again or anew, with these turns. */
  session(history: readonly WireTurn[], { isNew }: { readonly isNew: boolean }): void {
    if (isNew) {
      this.#checkHistory(history)
      this.#giveUp('session over')
      this.#giveUpHeardInTheDark()
    } else this.#takeBack()
    this.#sayAgain(history)
    if (this.#waitingForNothing) this.#askLater()
  }

  /** To be called every second: an agent that says nothing for so long over a good connection will say nothing any more. */
  watch(): void {
    this.#tellIdle()
    const since = Math.max(this.#last?.askedAtMs ?? 0, this.#progressAtMs, this.#record.attachments.at(-1)?.fromMs ?? 0)
    if (!this.#options.live() || this.#waitingForNothing || performance.now() - since < answerMs) return
    this.#giveUp('no answer')
    this.#askLater()
    this.#tellIdle()
  }

  #tellIdle(): void {
    if (!this.#asking && this.#isIdle) for (const done of this.#idle.splice(0)) done()
  }

  /** The turn with its last word, once the gateway has said that this was all. */
  #answerOf(tag: string): SeenItem | undefined {
    return [...this.#record.items.values()].find(
      ({ itemId, role, state, text }) =>
        role === 'agent' && state !== 'partial' && isWhole(text, tag) && this.#options.heard(itemId),
    )
  }

  /** The answer of an ended session is not given in the next one; a question that was not stored is asked there again. */
  #giveUp(why: NonNullable<Asked['givenUp']>): void {
    const last = this.#last
    if (last === undefined || last.answeredAtMs !== undefined) return
    if (last.committedAtMs !== undefined || why === 'no answer') last.givenUp = why
  }

  /** Speech that ended after the network was gone, in a session that is over: nobody there knows that it was heard. */
  #giveUpHeardInTheDark(): void {
    const darkMs = this.#record.attachments.at(-2)?.mutedMs
    for (const asked of this.#record.asked)
      if (darkMs !== undefined && (asked.answeredAtMs ?? 0) > darkMs) asked.givenUp = 'session over'
  }

  /** An answer that was read and not stored went with its gateway: the next one owes it. */
  #takeBack(): void {
    const last = this.#last
    if (last?.answeredAtMs === undefined || this.#answerOf(last.tag) !== undefined) return
    last.answeredAtMs = undefined
    clearTimeout(this.#timer)
  }

  /** Beyond the window a client still sees what was said. */
  #checkHistory(history: readonly WireTurn[]): void {
    const known = new Set(history.map((turn) => turn.itemId))
    const due = this.#record.asked.filter((asked) => asked.committedAtMs !== undefined).slice(-historyAsked)
    for (const { tag, itemId } of due)
      if (!known.has(itemId))
        this.#record.breaches.push(`${this.#record.name}: the history of the next session lacks ${tag}`)
  }

  /** What was not committed is said again; what the history shows was. */
  #sayAgain(history: readonly WireTurn[]): void {
    for (const asked of this.#record.asked) {
      if (asked.committedAtMs !== undefined) continue
      const stored = history.find((turn) => turn.itemId === asked.itemId)
      if (stored !== undefined) {
        asked.committedAtMs = performance.now()
        if (stored.sessionId !== this.#options.session()) this.#giveUp('session over')
        continue
      }
      asked.sessionId = this.#options.session() ?? ''
      this.#options.say(asked.itemId, asked.text)
    }
  }

  get #isUnsure(): boolean {
    const answer = this.#last === undefined ? undefined : this.#answerOf(this.#last.tag)
    const sinceMs = performance.now() - (this.#last?.answeredAtMs ?? 0)
    return answer !== undefined && !this.#record.committed.has(answer.itemId) && sinceMs < this.#options.patienceMs
  }

  #askLater(): void {
    if (!this.#asking) return
    clearTimeout(this.#timer)
    const { random, thinkMs } = this.#options
    this.#timer = setTimeout(() => this.#ask(), random.between(...thinkMs))
  }

  #ask(): void {
    const sessionId = this.#options.session()
    if (!this.#asking || sessionId === undefined || !this.#waitingForNothing) return
    // Nobody talks over the answer, or asks on while it may still go with its gateway.
    if (this.#options.playing() || this.#isUnsure) {
      this.#askLater()
      return
    }
    const tag = `${this.#record.name}q${++this.#number}`
    const itemId = `item_${tag}_${this.#options.random.between(100_000, 999_999)}`
    const text = questionOf(tag)
    this.#record.asked.push({
      tag,
      itemId,
      text,
      askedAtMs: performance.now(),
      committedAtMs: undefined,
      answeredAtMs: undefined,
      sessionId,
      givenUp: undefined,
    })
    this.#options.say(itemId, text)
  }
}
