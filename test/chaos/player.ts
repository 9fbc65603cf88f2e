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

export class Player implements Disposable {
  readonly #report: (report: PlayerReport) => void
  readonly #queue: Item[] = []
  readonly #gone = new Set<string>()
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
    this.#gone.add(itemId)
    this.#report({ itemId, playedMs: Math.floor(item?.playedMs ?? 0), final: true })
  }

  /** The connection is gone: what was not played will not be. */
  cut(): void {
    for (const item of this.#queue.splice(0)) this.#gone.add(item.itemId)
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
      this.#gone.add(item.itemId)
      this.#report({ itemId: item.itemId, playedMs: Math.floor(item.playedMs), final: true })
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
