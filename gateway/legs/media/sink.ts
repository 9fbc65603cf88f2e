// Where a mouth's frames go: a WebRTC track, a room's track, a phone's media stream.

/** Samples per millisecond of a mouth: PCM16 mono, 24 kHz. */
export const samplesPerMs = 24
/** What native audio sources take at a time. */
export const frameMs = 10

export interface Sink {
  /** One frame of `frameMs`, which the sink may keep. Must neither block nor throw. */
  play(frame: Int16Array<ArrayBuffer>): void
  /** Forgets what it was given and has not passed on; tells how much, in ms. Missing: it passes everything on at once. */
  clear?(): number
  /** From `play` to the person's ear as far as it can be told, ms. */
  readonly delayMs: number
  /** Handed over ahead of real time; missing: what a late timer of ours needs. Adds to what is heard after a flush. */
  readonly leadMs?: number
  /** The other end's player takes a pause for a delay: silence goes out between sentences too. */
  readonly continuous: boolean
}
