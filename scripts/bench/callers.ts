// The people who call over WebRTC: each has a microphone, a loudspeaker and a data channel, on the gateway's own library.

import { setTimeout as sleep } from 'node:timers/promises'
import { PeerClient } from '../../test/harness/peer.ts'
import { answerBench, type CallersReport, measured, opening, readUsage, type Window } from './calls.ts'
import { Samples } from './samples.ts'
import { nowUs } from './wire.ts'

let window: Window = { fromUs: 0, toUs: 0 }
let gaps = 0
const connect = new Samples()
const sound = new Samples()
const errors: string[] = []
const callers: Caller[] = []
/** A pause of this length within an answer is a gap; the tone of the bench has none of its own. */
const gapFrames = 3

class Caller {
  readonly #peer: PeerClient
  #seen = 0
  #createdUs: number | undefined
  #quiet = 0
  #speaking = false

  constructor(peer: PeerClient) {
    this.#peer = peer
    peer.onFrame = (isLoud) => this.#heard(isLoud, nowUs())
  }

  #heard(isLoud: boolean, atUs: number): void {
    for (const { type } of this.#peer.events.slice(this.#seen)) {
      if (type === 'output_audio_buffer.started') this.#createdUs = atUs
      if (type === 'response.output_audio.done') this.#speaking = false
    }
    this.#seen = this.#peer.events.length
    const counts = atUs >= window.fromUs && atUs < window.toUs
    if (!isLoud) {
      this.#quiet++
      return
    }
    if (this.#createdUs !== undefined && counts) sound.add(atUs - this.#createdUs)
    else if (this.#speaking && this.#quiet >= gapFrames && counts) gaps++
    if (this.#createdUs !== undefined) this.#speaking = true
    this.#createdUs = undefined
    this.#quiet = 0
  }

  close(): void {
    this.#peer.close()
  }
}

answerBench(
  { url: '', keys: [] },
  {
    usage: readUsage,
    async open(given) {
      const { url, keys, sessions, rampPerSecond } = opening.parse(given)
      for (let who = 0; who < sessions; who++) {
        const startedUs = nowUs()
        try {
          const peer = await PeerClient.call({ url, token: keys[who] ?? '', query: '?model=bench' })
          await peer.event('session.created')
          connect.add(nowUs() - startedUs)
          callers.push(new Caller(peer))
        } catch (error) {
          errors.push(String(error).slice(0, 200))
        }
        await sleep(1000 / rampPerSecond)
      }
      return { connect: connect.percentiles() }
    },
    window(given) {
      window = measured.parse(given)
      gaps = 0
      sound.clear()
    },
    report: (): CallersReport => ({ sound: sound.percentiles(), gaps, callers: callers.length, errors }),
    close() {
      for (const caller of callers.splice(0)) caller.close()
    },
  },
)
