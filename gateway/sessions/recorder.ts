// Turns engine and player events into turns, in the order in which speech began, and writes them in batches.
// One writer per session; the audio path never waits for it.

import type { Clock } from '../platform/clock.ts'
import { withDeadline } from '../platform/deadline.ts'
import { idOf } from '../platform/ids.ts'
import { type Citation, maxCitations } from '../protocol/citation.ts'
import type { Channel, Turn, TurnRole } from '../protocol/turn.ts'

export interface RecorderOptions {
  readonly clock: Clock
  readonly sessionId: string
  readonly conversationId: string
  readonly channel: Channel
  /** Takes the turns over at once, resolves when they are durable; never rejects. `fenced`: another process owns them. */
  readonly write: (turns: readonly Turn[]) => Promise<{ readonly fenced: readonly string[] }>
  /** A turn exists or changed: told at once, before it is durable. */
  readonly onTurn: (turn: Turn) => void
  readonly onFenced: () => void
  /** These are durable now, decided turns only. */
  readonly onStored: (itemIds: readonly string[]) => void
  /** What an earlier owner of the session wrote; it goes on from there. */
  readonly before?: readonly Turn[]
}

type Change = Partial<
  Pick<Turn, 'state' | 'text' | 'unheard' | 'tool' | 'visual' | 'audio' | 'latencyMs' | 'latency' | 'voice'>
>

/** Turns of live text are written at most this often; decisions at once. */
const partialWriteMs = 2_500
const tailChars = 160

export class Recorder {
  readonly #options: RecorderOptions
  readonly #turns = new Map<string, Turn>()
  readonly #dirty = new Map<string, Turn>()
  readonly #stored = new Set<string>()
  readonly #messages = new Set<string>()
  #lastSeq = 0
  /** Writes in flight: the writer behind keeps their order and only the newest of each turn. */
  readonly #writing = new Set<Promise<void>>()
  #timer: { cancel(): void } | undefined
  #count = 0
  #interruptions = 0
  #lastText = ''
  #cited: readonly Citation[] = []

  constructor(options: RecorderOptions) {
    this.#options = options
    for (const turn of options.before ?? []) {
      this.#turns.set(turn.itemId, turn)
      this.#noteMessage(turn)
      this.#lastSeq = Math.max(this.#lastSeq, turn.seq)
      if (turn.state !== 'partial') {
        this.#count++
        this.#stored.add(turn.itemId)
      }
      if (turn.state === 'interrupted') this.#interruptions++
      if (turn.role !== 'tool' && turn.text !== '') this.#lastText = tail(turn.text)
    }
  }

  get count(): number {
    return this.#count
  }
  /** What the person said or wrote: one per item, whichever owners of the session it was told to. */
  get messages(): number {
    return this.#messages.size
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

  /** Durable in a decided state. */
  isStored(itemId: string): boolean {
    return this.#stored.has(itemId)
  }

  /** Called when speech (or writing) begins: gives the turn its place. Repeats change nothing. */
  begin(itemId: string, role: TurnRole, voice: boolean): Turn {
    const known = this.#turns.get(itemId)
    if (known !== undefined) return known
    const now = this.#options.clock.now()
    // Position = start time in µs-like steps, so that two sessions of one conversation interleave without a counter.
    this.#lastSeq = Math.max(this.#lastSeq + 1, Math.floor(now) * 1000)
    const at = new Date(now).toISOString()
    const { sessionId } = this.#options
    const turn: Turn = {
      // Said again to the next owner, an item is the same turn, whichever of the two is stored first.
      id: idOf('turn', sessionId, itemId),
      sessionId,
      conversationId: this.#options.conversationId,
      channel: this.#options.channel,
      role,
      state: 'partial',
      seq: this.#lastSeq,
      text: '',
      voice,
      itemId,
      ...(role === 'agent' && this.#cited.length > 0 ? { citations: this.#cited } : {}),
      createdAt: at,
      updatedAt: at,
    }
    if (role === 'agent') this.#cited = []
    this.#turns.set(itemId, turn)
    return turn
  }

  /** What the next answer rests on. */
  cite(citations: readonly Citation[]): void {
    this.#cited = [...this.#cited, ...citations].slice(0, maxCitations).map((each, i) => ({ ...each, n: i + 1 }))
  }

  /** Live text: told at once, written soon. `audio`: how far its sound is. */
  append(itemId: string, delta: string, audio?: Turn['audio']): void {
    const turn = this.#turns.get(itemId)
    if (turn === undefined || turn.state !== 'partial') return
    this.#put({ ...turn, text: turn.text + delta, ...(audio === undefined ? {} : { audio }) })
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
    this.#noteMessage(stamped)
    // A turn without a word is told (somebody begins to speak) but not stored: it may turn out to be noise.
    if (stamped.text !== '' || stamped.tool !== undefined || (stamped.unheard ?? '') !== '')
      this.#dirty.set(turn.itemId, stamped)
    if (turn.role !== 'tool' && turn.text !== '') this.#lastText = tail(turn.text)
    this.#options.onTurn(stamped)
  }

  /** A turn without a word may turn out to be noise, or be heard anew by another engine under another item. */
  #noteMessage({ itemId, role, state, text }: Turn): void {
    if (role === 'user' && (state !== 'partial' || text !== '')) this.#messages.add(itemId)
  }

  #schedule(ms: number): void {
    if (ms === 0) {
      this.#timer?.cancel()
      this.#timer = undefined
      this.#flush()
    } else
      this.#timer ??= this.#options.clock.after(ms, () => {
        this.#timer = undefined
        this.#flush()
      })
  }

  #flush(): void {
    if (this.#dirty.size === 0) return
    const batch = [...this.#dirty.values()]
    this.#dirty.clear()
    const writing = this.#options.write(batch).then(({ fenced }) => {
      this.#writing.delete(writing)
      if (fenced.length > 0) this.#options.onFenced()
      else this.#tellStored(batch)
    })
    this.#writing.add(writing)
  }

  #tellStored(batch: readonly Turn[]): void {
    const decided = batch.filter((turn) => turn.state !== 'partial').map((turn) => turn.itemId)
    for (const itemId of decided) this.#stored.add(itemId)
    if (decided.length > 0) this.#options.onStored(decided)
  }

  /** Everything told so far is durable when this resolves; gives up after `timeoutMs`, answering false. */
  async settle(timeoutMs: number): Promise<boolean> {
    this.#schedule(0)
    const all = Promise.all(this.#writing).then(() => true)
    return withDeadline(all, { timeoutMs, clock: this.#options.clock, fallback: () => false })
  }
}

/** The end of a long text, from a word's beginning: what a person in the console reads while it is spoken. */
function tail(text: string): string {
  if (text.length <= tailChars) return text
  const cut = text.slice(-tailChars)
  return `…${cut.slice(cut.indexOf(' ') + 1)}`
}
