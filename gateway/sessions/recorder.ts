// Turns engine and player events into turns, in the order in which speech began, and writes them in batches.
// One writer per session; the audio path never waits for it.

import type { Clock } from '../platform/clock.ts'
import { newId } from '../platform/ids.ts'
import type { Channel, Turn, TurnRole } from '../protocol/turn.ts'

export interface RecorderOptions {
  readonly clock: Clock
  readonly sessionId: string
  readonly conversationId: string
  readonly channel: Channel
  /** Resolves when durable. */
  readonly write: (turns: readonly Turn[]) => Promise<void>
  /** A turn exists or changed: told at once, before it is durable. */
  readonly onTurn: (turn: Turn) => void
  readonly onWriteError: (error: unknown) => void
}

type Change = Partial<Pick<Turn, 'state' | 'text' | 'unheard' | 'tool' | 'audio' | 'latencyMs' | 'voice'>>

/** Turns of live text are written at most this often; decisions at once. */
const partialWriteMs = 2_500
const tailChars = 160
/** Failed writes are retried with this pause; turns wait in memory meanwhile. */
const retryMs = 500

export class Recorder {
  readonly #options: RecorderOptions
  readonly #turns = new Map<string, Turn>()
  readonly #dirty = new Map<string, Turn>()
  #lastSeq = 0
  #writing: Promise<void> | undefined
  #timer: { cancel(): void } | undefined
  #count = 0
  #interruptions = 0
  #lastText = ''

  constructor(options: RecorderOptions) {
    this.#options = options
  }

  get count(): number {
    return this.#count
  }
  get interruptions(): number {
    return this.#interruptions
  }
  get lastText(): string {
    return this.#lastText
  }
  get turns(): readonly Turn[] {
    return [...this.#turns.values()].toSorted((a, b) => a.seq - b.seq)
  }

  find(itemId: string): Turn | undefined {
    return this.#turns.get(itemId)
  }

  /** Called when speech (or writing) begins: gives the turn its place. Repeats change nothing. */
  begin(itemId: string, role: TurnRole, voice: boolean): Turn {
    const known = this.#turns.get(itemId)
    if (known !== undefined) return known
    const now = this.#options.clock.now()
    // Position = start time in µs-like steps, so that two sessions of one conversation interleave without a counter.
    this.#lastSeq = Math.max(this.#lastSeq + 1, Math.floor(now) * 1000)
    const at = new Date(now).toISOString()
    const turn: Turn = {
      id: newId('turn'),
      sessionId: this.#options.sessionId,
      conversationId: this.#options.conversationId,
      channel: this.#options.channel,
      role,
      state: 'partial',
      seq: this.#lastSeq,
      text: '',
      voice,
      itemId,
      createdAt: at,
      updatedAt: at,
    }
    this.#turns.set(itemId, turn)
    return turn
  }

  /** Live text: told at once, written soon. */
  append(itemId: string, delta: string): void {
    const turn = this.#turns.get(itemId)
    if (turn === undefined || turn.state !== 'partial') return
    this.#put({ ...turn, text: turn.text + delta })
    this.#schedule(partialWriteMs)
  }

  /** A decided change is written at once; one that leaves the turn live, soon. */
  change(itemId: string, change: Change): void {
    const turn = this.#turns.get(itemId)
    if (turn === undefined) return
    if (turn.state === 'partial' && change.state !== undefined && change.state !== 'partial') this.#count++
    const next = { ...turn, ...change }
    this.#put(next)
    this.#schedule(next.state === 'partial' && next.tool === undefined ? partialWriteMs : 0)
  }

  /** The person cut in. */
  interrupted(): void {
    this.#interruptions++
  }

  /** A turn that held nothing in the end (noise, an empty answer) leaves no trace unless it was stored. */
  drop(itemId: string): void {
    const turn = this.#turns.get(itemId)
    if (turn !== undefined && turn.text === '' && turn.tool === undefined) {
      this.#turns.delete(itemId)
      this.#dirty.delete(itemId)
    }
  }

  #put(turn: Turn): void {
    const stamped = { ...turn, updatedAt: new Date(this.#options.clock.now()).toISOString() }
    this.#turns.set(turn.itemId, stamped)
    // A turn without a word is told (somebody begins to speak) but not stored: it may turn out to be noise.
    if (stamped.text !== '' || stamped.tool !== undefined || (stamped.unheard ?? '') !== '')
      this.#dirty.set(turn.itemId, stamped)
    if (turn.role !== 'tool' && turn.text !== '') this.#lastText = tail(turn.text)
    this.#options.onTurn(stamped)
  }

  #schedule(ms: number): void {
    if (ms === 0) {
      this.#timer?.cancel()
      this.#timer = undefined
      void this.#flush()
    } else if (this.#timer === undefined && this.#writing === undefined) {
      this.#timer = this.#options.clock.after(ms, () => {
        this.#timer = undefined
        void this.#flush()
      })
    }
  }

  async #flush(): Promise<void> {
    if (this.#writing !== undefined || this.#dirty.size === 0) return this.#writing
    const batch = [...this.#dirty.values()]
    this.#dirty.clear()
    this.#writing = this.#options
      .write(batch)
      .catch((error: unknown) => {
        this.#options.onWriteError(error)
        for (const turn of batch) if (!this.#dirty.has(turn.itemId)) this.#dirty.set(turn.itemId, turn)
        return new Promise<void>((resolve) => this.#options.clock.after(retryMs, resolve))
      })
      .finally(() => {
        this.#writing = undefined
        if (this.#dirty.size > 0) this.#schedule(0)
      })
    return this.#writing
  }

  /** Everything told so far is durable when this resolves; gives up after `timeoutMs`, answering false. */
  async settle(timeoutMs: number): Promise<boolean> {
    const until = this.#options.clock.monotonicMs() + timeoutMs
    this.#schedule(0)
    while (this.#writing !== undefined || this.#dirty.size > 0) {
      if (this.#options.clock.monotonicMs() > until) return false
      await (this.#writing ?? this.#flush())
    }
    return true
  }
}

/** The end of a long text, from a word's beginning: what a person in the console reads while it is spoken. */
function tail(text: string): string {
  if (text.length <= tailChars) return text
  const cut = text.slice(-tailChars)
  return `…${cut.slice(cut.indexOf(' ') + 1)}`
}
