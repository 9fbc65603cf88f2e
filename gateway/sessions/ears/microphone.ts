// The person's audio on its way to the engine. Our own echo and what is next to silence become silence: the engine hears a
// stream without holes, and nothing in it that nobody said.

import { bytesPerMs } from '../../protocol/realtime.ts'
import { Echo, leadFrames } from './echo.ts'
import type { Loudspeaker } from './loudspeaker.ts'
import { Presence } from './presence.ts'
import { frameBytes, frameMs, levelOf, lookAt } from './spectrum.ts'

export type Input = { readonly pcm: Buffer } | { readonly appendFrame: Buffer }

/** Quieter than any voice at a microphone, for longer than a pause inside of a word. */
const nearSilenceDb = -62
const quietAfterMs = 400
/** A pause in the stream: the microphone was muted. Its time begins anew. */
const gapMs = 400
/** After the last sound its echo may come for so long. */
const tailMs = 1_500

export class Microphone {
  readonly #speaker: Loudspeaker
  readonly #filters: boolean
  readonly #echo = new Echo()
  readonly presence = new Presence()
  #rest = Buffer.alloc(0)
  #quietMs = 0
  #streamMs = 0
  #beganMs: number | undefined

  /** `filters`: false only measures. */
  constructor(speaker: Loudspeaker, filters: boolean) {
    this.#speaker = speaker
    this.#filters = filters
  }

  /** What the engine shall hear of it. `attends`: somebody may be interrupted. */
  take(input: Input, nowMs: number, attends: boolean): Input {
    const pcm = 'pcm' in input ? input.pcm : samplesIn(input.appendFrame)
    // Not ours to judge: the engine says what is wrong with it.
    if (pcm === undefined) return input
    const frames = this.#rest.length === 0 ? pcm : Buffer.concat([this.#rest, pcm])
    const whole = frames.length - (frames.length % frameBytes)
    const isEcho = this.#listen(frames.subarray(0, whole), nowMs, attends)
    // A copy: the caller's buffer may be a slice of a large one.
    this.#rest = Buffer.from(frames.subarray(whole))
    const isSilence = this.#quietMs >= quietAfterMs
    return this.#filters && (isEcho || isSilence) ? { pcm: Buffer.alloc(pcm.length) } : input
  }

  /** True: nothing but echo. */
  #listen(pcm: Buffer, nowMs: number, attends: boolean): boolean {
    this.#keepTime(pcm.length / bytesPerMs, nowMs)
    const quietSinceMs = this.#speaker.quietSinceMs ?? Number.NEGATIVE_INFINITY
    const isWatched = attends || this.#speaker.isBusy(nowMs) || nowMs - quietSinceMs < tailMs
    let echoes = 0
    let others = 0
    for (let at = 0; at < pcm.length; at += frameBytes) {
      this.#streamMs += frameMs
      if (!isWatched) {
        this.#level(levelOf(pcm, at))
        continue
      }
      const look = lookAt(pcm, at)
      const offsetMs = (this.#beganMs ?? nowMs) + this.#streamMs - nowMs
      const { lag } = this.#echo
      const origin = this.#echo.frame(look, this.#speaker.sounding(nowMs, offsetMs + leadFrames * frameMs))
      // What was taken for a person a moment ago has turned out to be the loudspeaker.
      if (this.#filters && this.#echo.lag !== undefined && this.#echo.lag !== lag) this.presence.doubt()
      this.presence.frame(look, this.#filters || origin !== 'echo' ? origin : 'person')
      this.#hush(look.levelDb)
      if (origin === 'echo') echoes++
      else if (origin !== 'silence') others++
    }
    return echoes > 0 && others === 0 && !this.presence.isNear
  }

  #level(levelDb: number): void {
    this.presence.room(levelDb)
    this.#hush(levelDb)
  }

  #hush(levelDb: number): void {
    this.#quietMs = levelDb < nearSilenceDb ? this.#quietMs + frameMs : 0
  }

  /** Networks deliver in bursts, a microphone does not: the earliest arrival tells its time. */
  #keepTime(ms: number, nowMs: number): void {
    const lateMs = nowMs - ms - ((this.#beganMs ?? Number.NEGATIVE_INFINITY) + this.#streamMs)
    if (this.#beganMs === undefined || lateMs > gapMs) {
      this.#beganMs = nowMs - ms
      this.#streamMs = 0
    } else this.#beganMs += Math.min(lateMs, 0.2)
  }
}

const head = '"audio":"'

/** Legs check the frames: whatever follows `audio` is base64. */
function samplesIn(frame: Buffer): Buffer | undefined {
  const from = frame.indexOf(head, 0, 'latin1') + head.length
  const to = frame.indexOf('"', from, 'latin1')
  if (from < head.length || to < 0) return undefined
  const pcm = Buffer.from(frame.toString('latin1', from, to), 'base64')
  return pcm.length % 2 === 0 ? pcm : pcm.subarray(0, pcm.length - 1)
}
