// What comes out of the person's loudspeaker at a moment, as well as can be told: the player's own reports where there are any,
// otherwise real time since the sound was sent. Knows the sound only as spectra, 8 bytes for 20 ms.

import { bandCount, frameBytes, frameMs, lookAt, silentDb } from './spectrum.ts'

/** Sound that is older echoes no more. */
const keptMs = 2_000
/** From the socket to the loudspeaker, before the player has told: prebuffer and a short way. */
const startDelayMs = 100
/** Ten minutes of one item that nobody plays: no engine makes more, and nobody waits for it. */
const mostFrames = 30_000
/** Items that were cut; of older ones nothing comes any more. */
const keptVoid = 64

interface Item {
  readonly itemId: string
  bands: Int8Array
  frames: number
  rest: Buffer
  sentMs: number
  readonly sentAtMs: number
  isDone: boolean
  /** It was here, at this time. Undefined: it has not begun. */
  positionMs: number
  atMs: number | undefined
  /** It plays no more. */
  endedAtMs: number | undefined
}

export class Loudspeaker {
  #items: Item[] = []
  /** Cut or lost: what still comes of them is not played. */
  readonly #void = new Set<string>()
  #heldSinceMs: number | undefined

  sent(itemId: string, pcm: Buffer, nowMs: number): void {
    const item = this.#items.find((each) => each.itemId === itemId) ?? this.#add(itemId, nowMs)
    if (item === undefined || item.endedAtMs !== undefined) return
    item.sentMs += pcm.length / (frameBytes / frameMs)
    const bytes = item.rest.length === 0 ? pcm : Buffer.concat([item.rest, pcm])
    let at = 0
    for (; at + frameBytes <= bytes.length; at += frameBytes) keep(item, lookAt(bytes, at).bands)
    // A copy: the caller's buffer may be a slice of a large one.
    item.rest = Buffer.from(bytes.subarray(at))
  }

  #add(itemId: string, nowMs: number): Item | undefined {
    if (this.#void.has(itemId)) return undefined
    this.#items = this.#items.filter(({ endedAtMs }) => endedAtMs === undefined || nowMs - endedAtMs < keptMs)
    const item: Item = {
      ...{ itemId, bands: new Int8Array(bandCount * 256), frames: 0, rest: Buffer.alloc(0), sentMs: 0, isDone: false },
      sentAtMs: nowMs,
      ...{ positionMs: 0, atMs: undefined, endedAtMs: undefined },
    }
    this.#items.push(item)
    return item
  }

  /** Nothing more is sent of it; without a name, of any. */
  done(itemId?: string): void {
    for (const item of this.#items) if (itemId === undefined || item.itemId === itemId) item.isDone = true
  }

  /** The player's own word. */
  played(itemId: string, playedMs: number, nowMs: number): void {
    const item = this.#items.find((each) => each.itemId === itemId)
    if (item === undefined || item.endedAtMs !== undefined) return
    item.positionMs = Math.min(playedMs, item.sentMs)
    item.atMs = nowMs
  }

  flushed(itemId: string, nowMs: number): void {
    this.#settle(nowMs)
    const item = this.#items.find((each) => each.itemId === itemId)
    if (item !== undefined) item.endedAtMs ??= nowMs
    this.#void.add(itemId)
    for (const oldest of this.#void) {
      if (this.#void.size <= keptVoid) break
      this.#void.delete(oldest)
    }
  }

  hold(on: boolean, nowMs: number): void {
    if (on === (this.#heldSinceMs !== undefined)) return
    this.#settle(nowMs)
    this.#heldSinceMs = on ? nowMs : undefined
  }

  /** Everything that was to be played is void: the player is gone. */
  clear(nowMs: number): void {
    this.#heldSinceMs = undefined
    for (const { itemId, endedAtMs } of this.#items) if (endedAtMs === undefined) this.flushed(itemId, nowMs)
  }

  /** Sound is left to be played. */
  isBusy(nowMs: number): boolean {
    this.#settle(nowMs)
    return this.#items.some(({ endedAtMs, sentMs }) => endedAtMs === undefined && sentMs > 0)
  }

  /** When the last of it was to be heard; undefined: nothing yet. */
  get quietSinceMs(): number | undefined {
    return this.#items.findLast(({ endedAtMs }) => endedAtMs !== undefined)?.endedAtMs
  }

  /** What sounds so long after now, or before it: eight bands in dB; undefined: nothing. */
  sounding(nowMs: number, offsetMs: number): Int8Array | undefined {
    this.#settle(nowMs)
    if (this.#heldSinceMs !== undefined) return undefined
    const at = this.#items.findIndex(({ endedAtMs }) => endedAtMs === undefined)
    const item = this.#items[at]
    if (item?.atMs === undefined) return undefined
    const ms = item.positionMs + nowMs + offsetMs - item.atMs
    if (ms < 0) return bandsOf(this.#items[at - 1], (this.#items[at - 1]?.sentMs ?? 0) + ms)
    const beyondMs = ms - item.sentMs
    return beyondMs >= 0 && item.isDone ? bandsOf(this.#items[at + 1], beyondMs) : bandsOf(item, ms)
  }

  /** Items play one after the other, each as far as it has come. */
  #settle(nowMs: number): void {
    let freeAtMs = Number.NEGATIVE_INFINITY
    for (const item of this.#items) {
      if (item.endedAtMs !== undefined) {
        freeAtMs = Math.max(freeAtMs, item.endedAtMs)
        continue
      }
      if (item.sentMs === 0) return
      item.atMs ??= begins(item, freeAtMs, nowMs)
      if (this.#heldSinceMs === undefined) item.positionMs += Math.max(0, nowMs - item.atMs)
      item.atMs = Math.max(nowMs, item.atMs)
      const beyondMs = item.positionMs - item.sentMs
      if (beyondMs >= 0) item.positionMs = item.sentMs
      // Without its end it waits for more, and plays on when that has come.
      if (beyondMs < 0 || !item.isDone) return
      item.endedAtMs = nowMs - beyondMs
      freeAtMs = item.endedAtMs
    }
  }
}

/** Right behind another one, or when it has come; looked at late (no microphone was open), that was when it was sent. */
function begins({ sentAtMs }: Item, freeAtMs: number, nowMs: number): number {
  const cameAtMs = nowMs - sentAtMs < startDelayMs ? nowMs : sentAtMs
  return cameAtMs - freeAtMs < startDelayMs ? freeAtMs : cameAtMs + startDelayMs
}

function bandsOf(item: Item | undefined, ms: number): Int8Array | undefined {
  const frame = Math.floor(ms / frameMs)
  if (item === undefined || frame < 0 || frame >= item.frames) return undefined
  return item.bands.subarray(frame * bandCount, (frame + 1) * bandCount)
}

function keep(item: Item, bands: Float32Array): void {
  if (item.frames >= mostFrames) return
  if ((item.frames + 1) * bandCount > item.bands.length) {
    const larger = new Int8Array(item.bands.length * 2)
    larger.set(item.bands)
    item.bands = larger
  }
  const at = item.frames * bandCount
  for (let band = 0; band < bandCount; band++) item.bands[at + band] = Math.max(silentDb, bands[band] ?? silentDb)
  item.frames++
}
