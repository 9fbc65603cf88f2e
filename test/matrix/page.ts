// The same person in a real Chromium: a raw RTCPeerConnection with a data channel, a microphone that plays WAVs, and a meter at
// the loudspeaker. Past the gateway, a client of our own protocol has a WebSocket beside the call.

import type { Browser, Page } from 'playwright-core'
import { z } from 'zod'
import { encodeWav, samplesOf } from '../../gateway/platform/resample.ts'
import type { ServerEvent } from '../harness/client.ts'
import type { TestGateway } from '../harness/start-gateway.ts'
import { type Caller, spoken } from './caller.ts'

interface Kept {
  readonly events: readonly ServerEvent[]
  readonly soundMs: number
  readonly isHearing: boolean
}

interface Dialled {
  readonly callId: string
  readonly media: string
}

interface Wanted {
  readonly token: string
  /** Speaks our own protocol over a WebSocket beside the call. */
  readonly beside: boolean
}

declare global {
  var phone: {
    dial(wanted: Wanted): Promise<Dialled>
    say(wav: string): Promise<void>
    send(...events: readonly object[]): void
    mute(muted: boolean): void
    close(): void
    kept(): Kept
  }
}

const script = `
const context = new AudioContext()
let kept, peer, channel, socket, microphone, meter, timer
const took = (text) => {
  const event = JSON.parse(text)
  kept.events.push(event)
  if (event.type === 'parley.heartbeat') send({ type: 'parley.heartbeat', n: event.n })
}
const sounded = (ms) => { kept.soundMs += ms; kept.lastMs = performance.now() }
// As a player does: one after the other, in real time.
const queued = (ms) => { kept.soundMs += ms; kept.lastMs = Math.max(kept.lastMs, performance.now()) + ms }
const send = (...events) => { for (const event of events) (socket ?? channel).send(JSON.stringify(event)) }
const listen = (stream) => {
  const audio = new Audio()
  audio.srcObject = stream
  audio.play()
  meter = context.createAnalyser()
  meter.fftSize = 1024
  context.createMediaStreamSource(stream).connect(meter)
  const wave = new Float32Array(meter.fftSize)
  let beforeMs = performance.now()
  timer = setInterval(() => {
    const nowMs = performance.now()
    meter.getFloatTimeDomainData(wave)
    if (wave.some((sample) => Math.abs(sample) > 0.01)) sounded(nowMs - beforeMs)
    beforeMs = nowMs
  }, 20)
}
const attach = (token, resume) => new Promise((done, failed) => {
  socket = new WebSocket(location.origin.replace('http', 'ws') + '/v1/realtime',
    ['parley.v1', 'openai-insecure-api-key.' + token, 'parley-resume.' + resume])
  socket.binaryType = 'arraybuffer'
  socket.onmessage = ({ data }) => typeof data === 'string' ? took(data) : queued(data.byteLength / 48)
  socket.onopen = done
  socket.onerror = failed
})
window.phone = {
  async dial({ token, beside }) {
    await context.resume()
    kept = { events: [], soundMs: 0, lastMs: -1e9 }
    socket = undefined
    peer = new RTCPeerConnection()
    peer.ontrack = ({ streams: [stream] }) => listen(stream)
    microphone = context.createMediaStreamDestination()
    peer.addTrack(microphone.stream.getAudioTracks()[0], microphone.stream)
    channel = peer.createDataChannel('oai-events')
    // What is sent before the other side has said something may be lost on the way.
    const opened = new Promise((done) => {
      channel.onopen = () => { if (beside) done() }
      channel.onmessage = ({ data }) => {
        if (!beside) took(data)
        done()
      }
    })
    await peer.setLocalDescription(await peer.createOffer())
    if (peer.iceGatheringState !== 'complete')
      await new Promise((done) => { peer.onicegatheringstatechange = () => peer.iceGatheringState === 'complete' && done() })
    const response = await fetch('/v1/realtime/calls' + (beside ? '?protocol=parley.v1&media=direct' : ''), {
      method: 'POST',
      body: peer.localDescription.sdp,
      headers: { authorization: 'Bearer ' + token, 'content-type': 'application/sdp' },
    })
    const text = await response.text()
    if (response.status !== 201) throw new Error(response.status + ' ' + text)
    await peer.setRemoteDescription({ type: 'answer', sdp: text })
    await opened
    if (beside) {
      await attach(token, response.headers.get('x-parley-resume'))
      send({ type: 'parley.voice', on: true })
    }
    const callId = response.headers.get('location').split('/').at(-1)
    return { callId, media: response.headers.get('x-parley-media') ?? '' }
  },
  async say(wav) {
    const bytes = Uint8Array.from(atob(wav), (char) => char.charCodeAt(0))
    const source = context.createBufferSource()
    source.buffer = await context.decodeAudioData(bytes.buffer)
    source.connect(microphone)
    await new Promise((done) => { source.onended = done; source.start() })
  },
  send,
  mute(muted) { microphone.stream.getAudioTracks()[0].enabled = !muted },
  close() {
    if (socket?.readyState === 1) send({ type: 'parley.bye' })
    clearInterval(timer)
    peer.close()
  },
  kept: () => ({ events: kept.events, soundMs: kept.soundMs, isHearing: performance.now() - kept.lastMs < 150 }),
}
`

const secretBody = z.object({ value: z.string() })

export class PageCaller implements Caller {
  readonly sessionId: string
  /** Who ends the call's media: `gateway`, or the provider (`direct`). */
  readonly media: string
  readonly #page: Page
  #closed = false

  constructor(page: Page, { callId, media }: Dialled) {
    this.#page = page
    this.sessionId = callId.replace('rtc_', 'sess_')
    this.media = media
  }

  async say(words: string): Promise<void> {
    const wav = encodeWav(samplesOf(await spoken(words)), 24_000)
    await this.#page.evaluate((sound) => globalThis.phone.say(sound), Buffer.from(wav).toString('base64'))
  }

  async ask(text: string): Promise<void> {
    await this.#page.evaluate((words) => {
      globalThis.phone.send(
        {
          type: 'conversation.item.create',
          item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: words }] },
        },
        { type: 'response.create' },
      )
    }, text)
  }

  async mute(muted: boolean): Promise<void> {
    await this.#page.evaluate((is) => globalThis.phone.mute(is), muted)
  }

  async end(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#page.evaluate(() => globalThis.phone.close())
  }

  #kept(): Promise<Kept> {
    return this.#page.evaluate(() => globalThis.phone.kept())
  }

  async events(): Promise<readonly ServerEvent[]> {
    return (await this.#kept()).events
  }

  async soundMs(): Promise<number> {
    return (await this.#kept()).soundMs
  }

  async isHearing(): Promise<boolean> {
    return (await this.#kept()).isHearing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
  }
}

/** One browser; one page for each gateway, of the gateway's own origin. */
export class Phone {
  readonly #gateway: TestGateway
  readonly #page: Page

  private constructor(gateway: TestGateway, page: Page) {
    this.#gateway = gateway
    this.#page = page
  }

  static async open(browser: Browser, gateway: TestGateway): Promise<Phone> {
    // A document of the gateway itself: its own origin, and an address that may open sockets to this machine.
    const page = await (await browser.newContext({ bypassCSP: true })).newPage()
    await page.goto(`${gateway.url}/health/live`)
    await page.addScriptTag({ content: script, type: 'module' })
    await page.waitForFunction(() => 'phone' in globalThis)
    // A press of a button: without one a page may not play.
    await page.mouse.click(10, 10)
    return new Phone(gateway, page)
  }

  /** As a stock client. */
  async call(): Promise<PageCaller> {
    const { body } = await this.#gateway.post(
      '/v1/realtime/client_secrets',
      { session: { type: 'realtime', model: 'productco' }, origin: this.#gateway.url },
      { authorization: `Bearer ${this.#gateway.apiKey}` },
    )
    return this.#dial({ token: secretBody.parse(body).value, beside: false })
  }

  /** As a client of our own protocol, which may talk past the gateway and hears its events over a socket. */
  async callBeside(): Promise<PageCaller> {
    return this.#dial({ token: await this.#gateway.visitorToken(), beside: true })
  }

  async #dial(wanted: Wanted): Promise<PageCaller> {
    const dialled = await this.#page.evaluate((how) => globalThis.phone.dial(how), wanted)
    return new PageCaller(this.#page, dialled)
  }

  async close(): Promise<void> {
    await this.#page.context().close()
  }
}
