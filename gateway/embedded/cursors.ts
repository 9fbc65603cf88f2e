// Open cursors: what a find or aggregate has not sent yet.
import { MAX_DOCUMENT_BYTES } from './document.ts'
import type { Deadline } from './query.ts'
import { MongoErr } from './value.ts'
import { cursorReply } from './wire.ts'

/** Mongo's default for cursors nobody asks. */
const IDLE_MS = 10 * 60_000
/** Mongo's size of a first batch nobody chose. */
const FIRST_BATCH = 101

interface CursorOptions {
  readonly ns: string
  readonly batchSize?: number | undefined
  readonly singleBatch?: boolean | undefined
  readonly session?: string | undefined
  /** The transaction it was opened in, and ends with. */
  readonly transaction?: object | undefined
  readonly deadline: Deadline
}

class Cursor {
  readonly id: bigint
  readonly options: CursorOptions
  usedAtMs = Date.now()
  readonly #documents: Iterator<Buffer>
  /** Read ahead by one, so that a cursor without more to give closes with its last batch. */
  #next: IteratorResult<Buffer> | undefined

  constructor(id: bigint, documents: Iterable<Buffer>, options: CursorOptions) {
    this.id = id
    this.options = options
    this.#documents = documents[Symbol.iterator]()
  }

  get transaction(): object | undefined {
    return this.options.transaction
  }
  get session(): string | undefined {
    return this.options.session
  }
  get done(): boolean {
    this.#next ??= this.#documents.next()
    return this.#next.done === true
  }

  /** Up to `count` documents and 16 MB, and always one if there is one. */
  take(count: number): Buffer[] {
    const batch: Buffer[] = []
    let bytes = 0
    while (batch.length < count) {
      const next = this.#next ?? this.#documents.next()
      this.#next = next
      if (next.done || (batch.length && bytes + next.value.length > MAX_DOCUMENT_BYTES)) break
      batch.push(next.value)
      bytes += next.value.length
      this.#next = undefined
    }
    return batch
  }
}

export class Cursors {
  readonly #open = new Map<bigint, Cursor>()
  #lastId = BigInt(Date.now()) * 1_000n

  /** Answers a command with its first batch and keeps the rest. */
  open(documents: Iterable<Buffer>, options: CursorOptions): Buffer {
    const cursor = new Cursor(++this.#lastId, documents, options)
    const batch = cursor.take(options.batchSize ?? FIRST_BATCH)
    const finished = options.singleBatch || cursor.done
    if (!finished) this.#open.set(cursor.id, cursor)
    return cursorReply('firstBatch', batch, { id: finished ? 0n : cursor.id, ns: options.ns })
  }

  more(id: bigint, ns: string, request: { batchSize?: number | undefined; deadline: Deadline }): Buffer {
    const cursor = this.#open.get(id)
    if (!cursor) throw new MongoErr(43, `cursor id ${id} not found`)
    if (cursor.options.ns !== ns) throw new MongoErr(13, `cursor ${id} belongs to a different namespace than '${ns}'`)
    cursor.usedAtMs = Date.now()
    cursor.options.deadline.atMs = request.deadline.atMs
    try {
      const batch = cursor.take(request.batchSize || Number.POSITIVE_INFINITY)
      if (cursor.done) this.#open.delete(id)
      return cursorReply('nextBatch', batch, { id: cursor.done ? 0n : id, ns })
    } catch (error) {
      this.#open.delete(id)
      throw error
    }
  }

  close(id: bigint): boolean {
    return this.#open.delete(id)
  }

  closeOf(belongs: (cursor: Cursor) => boolean): void {
    for (const cursor of this.#open.values()) if (belongs(cursor)) this.#open.delete(cursor.id)
  }

  closeIdle(): void {
    this.closeOf((cursor) => Date.now() - cursor.usedAtMs > IDLE_MS)
  }
}
