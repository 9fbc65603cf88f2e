// From the mouth to a room's audio source. One frame is on its way at a time: the native side runs each in a task of its
// own, and two at once may change places.

import type { AudioSource } from '@livekit/rtc-node'
import { sampleRateHz } from '../../protocol/realtime.ts'
import { frameMs, type Sink, samplesPerMs } from '../media/sink.ts'
import type { Rtc } from './native.ts'

/** The source takes this much before it makes us wait; a barge-in clears it. */
export const sourceQueueMs = 100
/**
 * What is still here when the person cuts in is taken back (`clear`); what is on its way by then, 60 to 70 ms on loopback, cannot
 * be, and is heard. So none of it is to be taken off for the way.
 */
const wayMs = 0
/** A source that takes nothing is gone: what it would have played late is not played. */
const mostWaitingMs = 400

export class SoundSink implements Sink {
  readonly delayMs = wayMs
  readonly continuous = false
  readonly #rtc: Rtc
  readonly #source: AudioSource
  #waiting: Int16Array[] = []
  #busy = false
  #closed = false
  #droppedMs = 0

  constructor(rtc: Rtc, source: AudioSource) {
    this.#rtc = rtc
    this.#source = source
  }

  get droppedMs(): number {
    return this.#droppedMs
  }

  play(frame: Int16Array<ArrayBuffer>): void {
    if (this.#closed) return
    if (this.#waiting.length * frameMs >= mostWaitingMs) {
      this.#droppedMs += frameMs
      return
    }
    this.#waiting.push(frame)
    if (!this.#busy) void this.#pump()
  }

  clear(): number {
    const takenBackMs = this.#waiting.length * frameMs + this.#source.queuedDuration
    this.#waiting = []
    if (!this.#closed) this.#source.clearQueue()
    return takenBackMs
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#waiting = []
    await this.#source.close()
  }

  async #pump(): Promise<void> {
    this.#busy = true
    try {
      while (this.#waiting.length > 0 && !this.#closed) {
        const samples = joined(this.#waiting.splice(0))
        // The library reads the whole buffer behind the array: it must be the array's own.
        await this.#source.captureFrame(new this.#rtc.AudioFrame(samples, sampleRateHz, 1, samples.length))
      }
    } catch {
      // The room is being left.
      this.#waiting = []
    } finally {
      this.#busy = false
    }
  }
}

function joined(frames: readonly Int16Array[]): Int16Array<ArrayBuffer> {
  const whole = new Int16Array(frames.length * frameMs * samplesPerMs)
  let at = 0
  for (const frame of frames) {
    whole.set(frame, at)
    at += frame.length
  }
  return whole.subarray(0, at).slice()
}
