// People who speak to a cascade over a WebSocket: a sentence in real time, silence until the answer is over, and again.

import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type TestClient } from '../../test/harness/client.ts'
import { pieces, silencePcm, speechPcm } from '../../test/harness/speech.ts'
import { answerBench, measured, opening, readUsage, type SpeakersReport, type Window } from './calls.ts'
import { Samples } from './samples.ts'
import { nowUs } from './wire.ts'

const pieceMs = 100
/** Between an answer and the next sentence. */
const breathMs = 500

let window: Window = { fromUs: 0, toUs: 0 }
const opened = new Samples()
const wait = new Samples()
const errors: string[] = []
const speakers: Speaker[] = []
const sentence = [...pieces(await speechPcm('How does delivery work?'))]
const silence = silencePcm(pieceMs)

class Speaker {
  readonly #client: TestClient
  readonly #timer: NodeJS.Timeout
  #left = [...sentence]
  #seen = 0
  #spokenUs: number | undefined
  #againUs = Number.POSITIVE_INFINITY

  constructor(client: TestClient) {
    this.#client = client
    client.socket.on('message', () => this.#look(nowUs()))
    this.#timer = setInterval(() => this.#speak(), pieceMs)
  }

  #speak(): void {
    const piece = this.#left.shift()
    if (piece !== undefined && this.#left.length === 0) this.#spokenUs = nowUs()
    if (nowUs() >= this.#againUs) {
      this.#againUs = Number.POSITIVE_INFINITY
      this.#left = [...sentence]
    }
    this.#client.send({ type: 'input_audio_buffer.append', audio: (piece ?? silence).toString('base64') })
  }

  #look(atUs: number): void {
    for (const event of this.#client.events.slice(this.#seen)) {
      if (event.type === 'error') errors.push(JSON.stringify(event.error).slice(0, 200))
      if (event.type === 'response.done') this.#againUs = atUs + breathMs * 1000
      if (event.type !== 'response.output_audio.delta' || this.#spokenUs === undefined) continue
      if (atUs >= window.fromUs && atUs < window.toUs) wait.add(atUs - this.#spokenUs)
      this.#spokenUs = undefined
    }
    this.#seen = this.#client.events.length
  }

  close(): void {
    clearInterval(this.#timer)
    this.#client.socket.terminate()
  }
}

answerBench(
  { url: '', keys: [] },
  {
    usage: readUsage,
    async open(given) {
      const { url, keys, sessions, rampPerSecond } = opening.parse(given)
      const { origin, search: query } = new URL(url)
      for (let who = 0; who < sessions; who++) {
        const startedUs = nowUs()
        try {
          const client = await connect(origin, { query, headers: { authorization: `Bearer ${keys[who] ?? ''}` } })
          await client.event('session.created')
          opened.add(nowUs() - startedUs)
          speakers.push(new Speaker(client))
        } catch (error) {
          errors.push(String(error).slice(0, 200))
        }
        await sleep(1000 / rampPerSecond)
      }
      return { connect: opened.percentiles() }
    },
    window(given) {
      window = measured.parse(given)
      wait.clear()
    },
    report: (): SpeakersReport => ({ wait: wait.percentiles(), speakers: speakers.length, errors }),
    close() {
      for (const speaker of speakers.splice(0)) speaker.close()
    },
  },
)
