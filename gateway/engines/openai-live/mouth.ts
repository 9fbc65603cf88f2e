// What the model says, as answers. The provider has no turns: where one begins and ends is inferred from its sound and its
// words, and said to be so. What must not be heard any more is held back here, because the provider takes nothing back.

import type { Clock, Timer } from '../../platform/clock.ts'
import { newId } from '../../platform/ids.ts'
import { wordEnd } from '../../platform/words.ts'
import { bytesPerMs } from '../../protocol/realtime.ts'
import type { EngineEvent } from '../engines.ts'
import { Recent } from '../recent.ts'

/** Nothing to be heard for this long is the end of an utterance: people pause half as long between sentences. */
const pauseMs = 1_000
/** Something to be said is given up when it does not begin: before the steady layer calls it silence (4 s). */
const beginMs = 3_500
/** A model that stops falls silent at once; one that was only nodded at goes on, and may be heard again after this. */
const heldQuietMs = 250
const heldMs = 1_200
/** About -54 dBFS: below it is a pause, above it a voice. */
const quietPeak = 64
/** One sample in eight finds any syllable of 20 ms. */
const strideBytes = 16

/** What is to be said: in the words given, from a place on, as reported by the backend, or as the model likes. */
export type Expected = 'say' | 'goOn' | 'relay' | 'speech'

interface Fragment {
  readonly text: string
  readonly startMs: number
  readonly endMs: number
}

interface Utterance {
  readonly responseId: string
  readonly itemId: string
  text: string
  bytes: number
  quietMs: number
  readonly fragments: Fragment[]
}

export interface MouthNeeds {
  readonly clock: Clock
  readonly emit: (event: EngineEvent) => void
  /** Somebody works on what will be said: it is not waited for in vain. */
  readonly working: () => boolean
  /** The whole text of an utterance, when it ended. */
  readonly said: (itemId: string, text: string) => void
  /** Nothing is being said or due: the next sentence may be asked for. */
  readonly free: () => void
}

export class Mouth {
  readonly #needs: MouthNeeds
  readonly #items = new Recent<Utterance>()
  #now: Utterance | undefined
  #expected: Expected[] = []
  #held: { readonly untilMs: number; quietMs: number; heardAtMs: number } | undefined
  #timer: Timer | undefined
  #paused = false

  constructor(needs: MouthNeeds) {
    this.#needs = needs
  }

  get speaking(): boolean {
    return this.#now !== undefined
  }

  /** Something is being said, or was asked for and has not begun. */
  get busy(): boolean {
    return this.#now !== undefined || this.#expected.some((each) => each !== 'speech')
  }

  expect(what: Expected): void {
    this.#expected.push(what)
    // What is heard from now on was asked for.
    if (what !== 'speech') this.#held = undefined
    this.#watch()
  }

  /** What is awaited will not come. */
  nothing(): void {
    this.#expected = []
    this.#watch()
  }

  audio(pcm: Buffer): void {
    const loud = isLoud(pcm)
    const ms = pcm.length / bytesPerMs
    if (this.#holds(loud, ms)) return
    if (this.#now === undefined && !loud) return
    const now = this.#now ?? this.#begin()
    now.bytes += pcm.length
    now.quietMs = loud ? 0 : now.quietMs + ms
    const { responseId, itemId } = now
    this.#needs.emit({ type: 'audio', source: 'provider', responseId, itemId, pcm, ms })
    if (now.quietMs >= pauseMs) this.#end('completed')
    else if (loud) this.#watch()
  }

  words({ delta, startMs, endMs }: { readonly delta: string; readonly startMs: number; readonly endMs: number }): void {
    if (delta === '' || this.#holds(false, 0)) return
    const now = this.#now ?? this.#begin()
    now.text += delta
    now.fragments.push({ text: delta, startMs, endMs })
    const { responseId, itemId } = now
    this.#needs.emit({ type: 'agentText', source: 'provider', responseId, itemId, spoken: true, delta })
    this.#watch()
  }

  #begin(): Utterance {
    const nothing = { text: '', bytes: 0, quietMs: 0, fragments: [] }
    const now: Utterance = { responseId: newId('resp'), itemId: newId('item'), ...nothing }
    this.#now = now
    this.#items.set(now.itemId, now)
    this.#take()
    const { responseId, itemId } = now
    this.#needs.emit({ type: 'responseStarted', source: 'inferred', responseId })
    this.#needs.emit({ type: 'agentItem', source: 'inferred', responseId, itemId })
    return now
  }

  /** An utterance answers all speech before it, or else the oldest thing asked for. */
  #take(): Expected | undefined {
    if (!this.#expected.includes('speech')) return this.#expected.shift()
    this.#expected = this.#expected.filter((each) => each !== 'speech')
    return 'speech'
  }

  #end(status: 'completed' | 'cancelled' | 'incomplete', reason?: string): void {
    const now = this.#now
    if (now === undefined) return
    this.#now = undefined
    const { responseId, itemId, text } = now
    const { emit, said } = this.#needs
    if (now.bytes > 0) emit({ type: 'audioDone', source: 'inferred', responseId, itemId })
    if (text !== '') emit({ type: 'agentText', source: 'inferred', responseId, itemId, spoken: true, final: text })
    said(itemId, text)
    emit({ type: 'responseDone', source: 'inferred', responseId, status, ...(reason === undefined ? {} : { reason }) })
    this.#watch()
    if (!this.busy) this.#needs.free()
  }

  /** The person does not want to hear more. What the model still says of it is held back. */
  cut(reason: 'turn_detected' | 'client_cancelled'): void {
    this.#hold(heldMs)
    this.#end('cancelled', reason)
  }

  /** The end of everything; what was being said stays as it is. */
  close(): void {
    this.#timer?.cancel()
    this.#now = undefined
    this.#expected = []
  }

  #hold(ms: number): void {
    const nowMs = this.#needs.clock.monotonicMs()
    this.#held = { untilMs: nowMs + ms, quietMs: 0, heardAtMs: nowMs }
  }

  /** Whether this is the tail of what was cut. A pause ends it. */
  #holds(loud: boolean, ms: number): boolean {
    const held = this.#held
    if (held === undefined) return false
    const nowMs = this.#needs.clock.monotonicMs()
    const over = nowMs >= held.untilMs || nowMs - held.heardAtMs >= heldQuietMs || held.quietMs >= heldQuietMs
    if (over) {
      this.#held = undefined
      return false
    }
    held.quietMs = loud ? 0 : held.quietMs + ms
    if (loud) held.heardAtMs = nowMs
    return true
  }

  /** An answer without a word: a call, a failure, or silence where something was expected. */
  wordless(status: 'completed' | 'failed', reason?: string, inside?: (responseId: string) => EngineEvent): void {
    const responseId = newId('resp')
    const { emit } = this.#needs
    this.#take()
    emit({ type: 'responseStarted', source: 'inferred', responseId })
    if (inside !== undefined) emit(inside(responseId))
    emit({ type: 'responseDone', source: 'inferred', responseId, status, ...(reason === undefined ? {} : { reason }) })
    this.#watch()
    if (!this.busy) this.#needs.free()
  }

  /** A call belongs to what is being said, where something is. */
  called(call: Extract<EngineEvent, { type: 'toolCall' }>): void {
    const responseId = this.#now?.responseId
    if (responseId === undefined) this.wordless('completed', undefined, (id) => ({ ...call, responseId: id }))
    else this.#needs.emit({ ...call, responseId })
  }

  /**
   * The person heard this much of an item. Nothing more of it is passed on. Returns what that is of its sound and of its
   * words, the latter by the provider's own times; undefined when there is no such item.
   */
  heard(
    itemId: string,
    heardMs: number,
  ): { readonly ms: number; readonly heard: string; readonly unheard: string } | undefined {
    const item = this.#items.get(itemId)
    if (item === undefined) return undefined
    if (item === this.#now) {
      this.#hold(Number.POSITIVE_INFINITY)
      this.#end('incomplete', 'truncated')
    }
    const ms = Math.max(0, Math.min(Math.floor(heardMs), Math.floor(item.bytes / bytesPerMs)))
    const cut = wordEnd(item.text, ms === 0 ? 0 : characters(item.fragments, ms))
    return { ms, heard: item.text.slice(0, cut).trim(), unheard: item.text.slice(cut).trim() }
  }

  pause(): void {
    this.#paused = true
    this.#watch()
  }

  resume(): void {
    this.#paused = false
    this.#watch()
  }

  /** Something changed: what is waited for now is waited for anew. */
  #watch(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#paused) return
    const { clock } = this.#needs
    if (this.#now !== undefined) this.#timer = clock.after(pauseMs, () => this.#end('completed'))
    else if (this.#expected.length > 0) this.#timer = clock.after(beginMs, () => this.#unsaid())
  }

  #unsaid(): void {
    if (this.#needs.working()) this.#watch()
    // A sentence that was wanted is missed; an answer the model did not find necessary is not.
    else this.wordless(this.#expected[0] === 'say' ? 'failed' : 'completed', 'not_spoken')
  }
}

function characters(fragments: readonly Fragment[], heardMs: number): number {
  const fromMs = fragments[0]?.startMs ?? 0
  let count = 0
  for (const { text, startMs, endMs } of fragments) {
    const share = (heardMs - (startMs - fromMs)) / Math.max(1, endMs - startMs)
    if (share < 1) return count + Math.floor(Math.max(0, share) * text.length)
    count += text.length
  }
  return count
}

function isLoud(pcm: Buffer): boolean {
  for (let at = 0; at + 1 < pcm.length; at += strideBytes) if (Math.abs(pcm.readInt16LE(at)) > quietPeak) return true
  return false
}
