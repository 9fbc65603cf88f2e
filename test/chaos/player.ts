// A loudspeaker without sound: plays items one after another in real time and tells how far it got.

export interface PlayerReport {
  readonly itemId: string
  readonly playedMs: number
  readonly final: boolean
}

interface Item {
  readonly itemId: string
  gotMs: number
  playedMs: number
  whole: boolean
}

const tickMs = 100
const reportMs = 500
/** Items of which a connection may have lost the report. */
const repeated = 5

export class Player implements Disposable {
  readonly #report: (report: PlayerReport) => void
  readonly #queue: Item[] = []
  /** Items that are through: how far they got. */
  readonly #gone = new Map<string, number>()
  readonly #heard = new Set<string>()
  readonly #timer = setInterval(() => this.#tick(), tickMs)
  #atMs = performance.now()
  #reportedAtMs = 0
  #drySinceMs: number | undefined

  constructor(report: (report: PlayerReport) => void) {
    this.#report = report
  }

  get playing(): boolean {
    return this.#queue.length > 0
  }

  /** Everything that came was played, and the end has not come. */
  get dry(): { readonly itemId: string; readonly sinceMs: number } | undefined {
    const first = this.#queue[0]
    if (first === undefined || this.#drySinceMs === undefined) return undefined
    return { itemId: first.itemId, sinceMs: this.#drySinceMs }
  }

  /** It was played to its end. */
  heard(itemId: string): boolean {
    return this.#heard.has(itemId)
  }

  /** Reports that were under way when a connection broke are lost; the gateway would have it all said again. */
  repeatReports(): void {
    for (const [itemId, playedMs] of [...this.#gone].slice(-repeated)) this.#report({ itemId, playedMs, final: true })
  }

  push(itemId: string, ms: number): void {
    if (this.#gone.has(itemId)) return
    const item = this.#find(itemId)
    if (item === undefined) this.#queue.push({ itemId, gotMs: ms, playedMs: 0, whole: false })
    else item.gotMs += ms
  }

  end(itemId: string): void {
    const item = this.#find(itemId)
    if (item !== undefined) item.whole = true
  }

  /** Plays no more of it and says how far it got. */
  flush(itemId: string): void {
    const at = this.#queue.findIndex((item) => item.itemId === itemId)
    const [item] = at < 0 ? [] : this.#queue.splice(at, 1)
    this.#through(itemId, item?.playedMs ?? 0)
  }

  /** The connection is gone: what was not played will not be. The reports are for the next connection. */
  cut(): void {
    for (const { itemId } of [...this.#queue]) this.flush(itemId)
  }

  #through(itemId: string, atMs: number): void {
    const playedMs = Math.max(this.#gone.get(itemId) ?? 0, Math.floor(atMs))
    this.#gone.set(itemId, playedMs)
    this.#report({ itemId, playedMs, final: true })
  }

  #find(itemId: string): Item | undefined {
    return this.#queue.find((item) => item.itemId === itemId)
  }

  #tick(): void {
    const now = performance.now()
    let leftMs = now - this.#atMs
    this.#atMs = now
    for (let item = this.#queue[0]; item !== undefined && leftMs > 0; item = this.#queue[0]) {
      const step = Math.min(leftMs, item.gotMs - item.playedMs)
      item.playedMs += step
      leftMs -= step
      if (item.playedMs < item.gotMs || !item.whole) break
      this.#queue.shift()
      this.#heard.add(item.itemId)
      this.#through(item.itemId, item.playedMs)
    }
    const first = this.#queue[0]
    if (first === undefined || first.playedMs < first.gotMs) this.#drySinceMs = undefined
    else this.#drySinceMs ??= now
    if (first === undefined || first.playedMs === 0 || now - this.#reportedAtMs < reportMs) return
    this.#reportedAtMs = now
    this.#report({ itemId: first.itemId, playedMs: Math.floor(first.playedMs), final: false })
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}
