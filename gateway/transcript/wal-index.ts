// What of the log is alive: the newest version of each turn that waits, oldest first, bounded per session and in all.

import { encodeLine, type WalRecord } from './wal-record.ts'

export interface WalCaps {
  readonly sessionBytes: number
  readonly totalBytes: number
}

interface Entry {
  readonly id: string
  readonly line: Buffer
  readonly rev: number
  readonly sessionId: string
  readonly isPartial: boolean
}

interface SessionEntries {
  bytes: number
  /** Oldest version first. */
  readonly entries: Map<string, Entry>
}

export class WalIndex {
  readonly #caps: WalCaps
  readonly #entries = new Map<string, Entry>()
  readonly #partials = new Map<string, Entry>()
  readonly #sessions = new Map<string, SessionEntries>()
  #bytes = 0
  #isFull = false

  constructor(caps: WalCaps) {
    this.#caps = caps
  }

  get size(): number {
    return this.#entries.size
  }
  get bytes(): number {
    return this.#bytes
  }
  /** The cap of all sessions was reached, and a tenth of it has not become free again. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** The lines of all, or of these as far as they are alive. */
  content(ids: Iterable<string> = this.#entries.keys()): Buffer {
    const lines: Buffer[] = []
    for (const id of ids) {
      const line = this.#entries.get(id)?.line
      if (line !== undefined) lines.push(line)
    }
    return Buffer.concat(lines)
  }

  /** How many turns had to give way, this one perhaps; undefined for a version that is old news. */
  put(record: WalRecord): number | undefined {
    const { turn, rev } = record
    const before = this.#entries.get(turn.id)
    if (before !== undefined && before.rev >= rev) return undefined
    if (before !== undefined) this.#remove(before)
    const line = encodeLine(record)
    this.#add({ id: turn.id, line, rev, sessionId: turn.sessionId, isPartial: turn.state === 'partial' })
    return this.#keepSession(turn.sessionId) + this.#keepTotal()
  }

  /** False when a later version waits, or none. */
  done(turnId: string, rev: number): boolean {
    const entry = this.#entries.get(turnId)
    if (entry === undefined || entry.rev > rev) return false
    this.#remove(entry)
    return true
  }

  clear(): void {
    for (const each of [this.#entries, this.#partials, this.#sessions]) each.clear()
    this.#bytes = 0
    this.#isFull = false
  }

  #keepSession(sessionId: string): number {
    let dropped = 0
    for (;;) {
      const session = this.#sessions.get(sessionId)
      if (session === undefined || session.bytes <= this.#caps.sessionBytes) return dropped
      const entries = [...session.entries.values()]
      const victim = entries.find((entry) => entry.isPartial) ?? entries[0]
      if (victim === undefined) return dropped
      this.#remove(victim)
      dropped++
    }
  }

  #keepTotal(): number {
    let dropped = 0
    while (this.#bytes > this.#caps.totalBytes) {
      this.#isFull = true
      const victim = this.#partials.values().next().value ?? this.#entries.values().next().value
      if (victim === undefined) return dropped
      this.#remove(victim)
      dropped++
    }
    return dropped
  }

  #add(entry: Entry): void {
    this.#entries.set(entry.id, entry)
    if (entry.isPartial) this.#partials.set(entry.id, entry)
    const session = this.#sessions.get(entry.sessionId) ?? { bytes: 0, entries: new Map<string, Entry>() }
    session.bytes += entry.line.length
    session.entries.set(entry.id, entry)
    this.#sessions.set(entry.sessionId, session)
    this.#bytes += entry.line.length
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.id)
    this.#partials.delete(entry.id)
    this.#bytes -= entry.line.length
    const session = this.#sessions.get(entry.sessionId)
    if (session !== undefined) {
      session.bytes -= entry.line.length
      session.entries.delete(entry.id)
      if (session.entries.size === 0) this.#sessions.delete(entry.sessionId)
    }
    if (this.#bytes < this.#caps.totalBytes * 0.9) this.#isFull = false
  }
}
