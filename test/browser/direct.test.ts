// A real Chromium that calls by the offer in the provider's own documentation, and is answered past the gateway; and the stock
// agents SDK, which configures its session itself.

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { openBrowser } from '../harness/browser.ts'
import { ScriptedPeer } from '../harness/scripted-peer.ts'
import { type ScriptedRealtime, startScriptedRealtime } from '../harness/scripted-realtime.ts'
import { writeSpeechWav } from '../harness/speech.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

const bundle = fileURLToPath(new URL('../../node_modules/@openai/agents-realtime/dist/bundle/', import.meta.url))
const answer = 'We deliver on weekdays, and two people carry it up to your floor.'

interface Kept {
  readonly types: readonly string[]
  readonly soundMs: number
  readonly media: string
  readonly callId: string
}

const page = `<!doctype html><title>Shop</title><script type="module">
import { OpenAIRealtimeWebRTC, RealtimeAgent, RealtimeSession } from './openai-realtime-agents.mjs'
const kept = { types: [], soundMs: 0, media: '', callId: '' }
const listen = (stream) => {
  const context = new AudioContext()
  const meter = context.createAnalyser()
  context.createMediaStreamSource(stream).connect(meter)
  const wave = new Float32Array(meter.fftSize)
  setInterval(() => {
    meter.getFloatTimeDomainData(wave)
    if (wave.some((sample) => Math.abs(sample) > 0.01)) kept.soundMs += 20
  }, 20)
}
let session, channel
window.direct = {
  async plain(url, secret) {
    const peer = new RTCPeerConnection()
    const audio = new Audio()
    peer.ontrack = ({ streams: [stream] }) => { audio.srcObject = stream; audio.play(); listen(stream) }
    const microphone = await navigator.mediaDevices.getUserMedia({ audio: true })
    peer.addTrack(microphone.getTracks()[0])
    channel = peer.createDataChannel('oai-events')
    channel.onmessage = ({ data }) => kept.types.push(JSON.parse(data).type)
    await peer.setLocalDescription(await peer.createOffer())
    if (peer.iceGatheringState !== 'complete')
      await new Promise((done) => { peer.onicegatheringstatechange = () => peer.iceGatheringState === 'complete' && done() })
    const response = await fetch(url, {
      method: 'POST',
      body: peer.localDescription.sdp,
      headers: { authorization: 'Bearer ' + secret, 'content-type': 'application/sdp' },
    })
    kept.media = response.headers.get('x-parley-media') ?? ''
    kept.callId = response.headers.get('location').split('/').at(-1)
    await peer.setRemoteDescription({ type: 'answer', sdp: await response.text() })
  },
  async sdk(url, apiKey) {
    const audioElement = document.createElement('audio')
    const transport = new OpenAIRealtimeWebRTC({ baseUrl: url, audioElement })
    session = new RealtimeSession(new RealtimeAgent({ name: 'Guide', instructions: 'Obey the page.' }), { transport })
    session.on('transport_event', ({ type }) => kept.types.push(type))
    await session.connect({ apiKey })
    kept.callId = transport.callId ?? ''
    listen(audioElement.srcObject)
  },
  ask: (text) => session.sendMessage(text),
  kept: () => kept,
}
</script>`

declare global {
  var direct: {
    plain(url: string, secret: string): Promise<void>
    sdk(url: string, apiKey: string): Promise<void>
    ask(text: string): void
    kept(): Kept
  }
}

let provider: ScriptedRealtime
let gateway: TestGateway
let folder: string
let wav: string
let shop: { readonly server: Server; readonly origin: string }
let browser: Browser | undefined

async function openShop(): Promise<typeof shop> {
  const server = createServer((request, response) => {
    const name = basename(request.url ?? '/')
    response.setHeader('content-type', name.endsWith('.mjs') ? 'text/javascript' : 'text/html')
    if (name.endsWith('.mjs'))
      readFile(join(bundle, name)).then(
        (code) => response.end(code),
        () => response.writeHead(404).end(),
      )
    else response.end(page)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return { server, origin: `http://localhost:${address.port}` }
}

beforeAll(async () => {
  provider = await startScriptedRealtime({ apiKey: 'sk-test', pace: 10 })
  provider.on(/delivery/, { say: answer })
  gateway = await startGateway({ OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: provider.baseUrl })
  const { tenants, agents } = gateway.app.slices
  const tenant = await tenants.bySlug('productco')
  if (tenant === undefined) throw new Error('no tenant')
  const scope = agents.of(tenant.id)
  for (const found of await scope.list()) {
    await scope.saveDraft(found.id, { ...found.draft, engine: 'openai-realtime', media: 'direct' })
    await scope.publish(found.id)
  }
  folder = await mkdtemp(join(tmpdir(), 'parley-direct-'))
  wav = join(folder, 'question.wav')
  await writeSpeechWav(wav, { text: 'How does the delivery work?', leadMs: 4_000, tailMs: 30_000 })
  shop = await openShop()
})
afterEach(async () => {
  await browser?.close()
  browser = undefined
})
afterAll(async () => {
  shop.server.closeAllConnections()
  shop.server.close()
  await gateway[Symbol.asyncDispose]()
  await provider.stop()
  await rm(folder, { recursive: true, force: true })
  expect(ScriptedPeer.open).toBe(0)
})

async function clientSecret(): Promise<string> {
  const { body } = await gateway.post(
    '/v1/realtime/client_secrets',
    { session: { type: 'realtime', model: 'productco' }, origin: shop.origin },
    { authorization: `Bearer ${gateway.apiKey}` },
  )
  return z.object({ value: z.string() }).parse(body).value
}

async function openPage(): Promise<Page> {
  browser = await openBrowser({ microphone: wav })
  const opened = await (await browser.newContext()).newPage()
  await opened.goto(shop.origin)
  await opened.waitForFunction(() => 'direct' in globalThis)
  // A press of a button: without one a page may not play.
  await opened.mouse.click(10, 10)
  return opened
}

const kept = (opened: Page): Promise<Kept> => opened.evaluate(() => globalThis.direct.kept())

async function transcript({ callId }: Kept): Promise<string[]> {
  const turns = z.object({ turns: z.array(z.object({ role: z.string(), text: z.string() })) })
  const { body } = await gateway.get(`/v1/sessions/${callId.replace('rtc_', 'sess_')}/transcript`)
  return turns.parse(body).turns.map(({ role, text }) => `${role}: ${text}`)
}

test('a page talks with the provider itself, and its words are here', async () => {
  provider.hears('How does the delivery work?')
  const opened = await openPage()
  await opened.evaluate(([url, secret]) => globalThis.direct.plain(url, secret), [
    `${gateway.url}/v1/realtime/calls`,
    await clientSecret(),
  ] as const)
  expect((await kept(opened)).media).toBe('direct')
  await expect
    .poll(async () => (await kept(opened)).types, { timeout: 25_000 })
    .toContain('output_audio_buffer.stopped')
  const { soundMs } = await kept(opened)
  expect(soundMs).toBeGreaterThan(1_500)
  expect(await transcript(await kept(opened))).toEqual(['user: How does the delivery work?', `agent: ${answer}`])
  expect(provider.calls).toHaveLength(1)
  await browser?.close()
  browser = undefined
  const id = provider.lastCall.id
  await expect.poll(() => provider.calls.find((each) => each.id === id)?.isOver, { timeout: 20_000 }).toBe(true)
})

test('the stock SDK talks too; the configuration that it brings is put back', async () => {
  const opened = await openPage()
  await opened.evaluate(([url, secret]) => globalThis.direct.sdk(url, secret), [
    `${gateway.url}/v1/realtime/calls`,
    await clientSecret(),
  ] as const)
  expect(provider.calls).toHaveLength(2)
  const { connection, fromBrowser } = provider.lastCall
  const wanted = JSON.stringify(fromBrowser)
  expect(wanted).toContain('Obey the page.')
  await opened.evaluate(() => globalThis.direct.ask('How does the delivery work?'))
  await expect.poll(async () => (await kept(opened)).types, { timeout: 20_000 }).toContain('response.done')
  expect(connection.session.instructions).not.toContain('Obey the page.')
  expect(provider.lastCall.isOver).toBe(false)
  await expect.poll(async () => transcript(await kept(opened))).toContain(`agent: ${answer}`)
})
