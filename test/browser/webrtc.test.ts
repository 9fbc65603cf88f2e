// The stock agents SDK in a real Chromium, on a customer's page, over WebRTC: its own transport, our address, nothing else.

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { openBrowser } from '../harness/browser.ts'
import { writeSpeechWav } from '../harness/speech.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

const bundle = fileURLToPath(new URL('../../node_modules/@openai/agents-realtime/dist/bundle/', import.meta.url))

const turnsBody = z.object({
  turns: z.array(
    z.object({
      role: z.string(),
      state: z.string(),
      text: z.string(),
      voice: z.boolean(),
      unheard: z.string().optional(),
      audio: z.object({ sentMs: z.number(), playedMs: z.number() }).optional(),
    }),
  ),
})
const sessionBody = z.object({ state: z.string(), endReason: z.string().optional(), transport: z.string().optional() })

/** What the page keeps of the SDK, and what it measures at its loudspeaker. */
interface Kept {
  readonly events: readonly { readonly type: string; readonly atMs: number }[]
  readonly errors: readonly string[]
  /** Stretches of sound that the page played. */
  readonly sounds: readonly { readonly fromMs: number; readonly toMs: number }[]
  readonly callId: string
}

const page = `<!doctype html><title>Shop</title><script type="module">
import { OpenAIRealtimeWebRTC, RealtimeAgent, RealtimeSession } from './openai-realtime-agents.mjs'
const kept = { events: [], errors: [], sounds: [], callId: '' }
let transport, session
window.talk = {
  async connect(url, apiKey) {
    const audioElement = document.createElement('audio')
    transport = new OpenAIRealtimeWebRTC({ baseUrl: url, audioElement })
    session = new RealtimeSession(new RealtimeAgent({ name: 'Guide' }), { transport })
    session.on('transport_event', (event) => kept.events.push({ type: event.type, atMs: performance.now() }))
    session.on('error', ({ error }) => kept.errors.push(JSON.stringify(error)))
    await session.connect({ apiKey })
    kept.callId = transport.callId ?? ''
    const context = new AudioContext()
    const meter = context.createAnalyser()
    meter.fftSize = 1024
    context.createMediaStreamSource(audioElement.srcObject).connect(meter)
    const wave = new Float32Array(meter.fftSize)
    setInterval(() => {
      meter.getFloatTimeDomainData(wave)
      if (!wave.some((sample) => Math.abs(sample) > 0.01)) return
      const nowMs = performance.now()
      const last = kept.sounds.at(-1)
      if (last !== undefined && nowMs - last.toMs < 400) last.toMs = nowMs
      else kept.sounds.push({ fromMs: nowMs, toMs: nowMs })
    }, 10)
  },
  ask: (text) => session.sendMessage(text),
  interrupt: () => session.interrupt(),
  mute: (muted) => session.mute(muted),
  close: () => session.close(),
  nowMs: () => performance.now(),
  kept: () => kept,
}
</script>`

declare global {
  var talk: {
    connect(url: string, apiKey: string): Promise<void>
    ask(text: string): void
    interrupt(): void
    mute(muted: boolean): void
    close(): void
    nowMs(): number
    kept(): Kept
  }
}

let gateway: TestGateway
let folder: string
let wav: string
let shop: { readonly server: Server; readonly origin: string }
let browser: Browser | undefined

async function openShop(): Promise<typeof shop> {
  const server = createServer((request, response) => {
    const name = basename(request.url ?? '/')
    if (!name.endsWith('.mjs')) {
      response.setHeader('content-type', 'text/html')
      response.end(page)
      return
    }
    response.setHeader('content-type', 'text/javascript')
    readFile(join(bundle, name)).then(
      (code) => response.end(code),
      () => response.writeHead(404).end(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return { server, origin: `http://localhost:${address.port}` }
}

beforeAll(async () => {
  gateway = await startGateway({ PARLEY_ENGINE: 'demo' })
  folder = await mkdtemp(join(tmpdir(), 'parley-webrtc-'))
  wav = join(folder, 'question.wav')
  await writeSpeechWav(wav, { text: 'Hello, I would like to ask you about a sofa.', leadMs: 3_000, tailMs: 30_000 })
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
  await rm(folder, { recursive: true, force: true })
})

async function clientSecret(): Promise<string> {
  const { body } = await gateway.post(
    '/v1/realtime/client_secrets',
    { session: { type: 'realtime', model: 'productco' }, origin: shop.origin },
    { authorization: `Bearer ${gateway.apiKey}` },
  )
  return z.object({ value: z.string() }).parse(body).value
}

async function openPage(microphone?: string): Promise<Page> {
  browser = await openBrowser(microphone === undefined ? {} : { microphone })
  const opened = await (await browser.newContext()).newPage()
  await opened.goto(shop.origin)
  await opened.waitForFunction(() => 'talk' in globalThis)
  // A press of a button: without one a page may not play.
  await opened.mouse.click(10, 10)
  return opened
}

/** Undefined, or why not. An error of the page itself has a stack of addresses that are no files here. */
async function connecting(opened: Page, secret: string): Promise<string | undefined> {
  const url = `${gateway.url}/v1/realtime/calls`
  return opened.evaluate(
    ([to, key]) =>
      globalThis.talk.connect(to, key).then(
        () => undefined,
        (error: unknown) => String(error),
      ),
    [url, secret] as const,
  )
}

async function connected(microphone?: string): Promise<Page> {
  const opened = await openPage(microphone)
  expect(await connecting(opened, await clientSecret())).toBeUndefined()
  return opened
}

const keptBy = (opened: Page): Promise<Kept> => opened.evaluate(() => globalThis.talk.kept())

async function event(opened: Page, type: string, count = 1): Promise<Kept> {
  await opened.waitForFunction(
    ([wanted, times]) => globalThis.talk.kept().events.filter((each) => each.type === wanted).length >= times,
    [type, count] as const,
    { timeout: 40_000 },
  )
  return keptBy(opened)
}

async function turnsOf(sessionId: string) {
  return turnsBody.parse((await gateway.get(`/v1/sessions/${sessionId}/transcript`)).body).turns
}

async function ended(sessionId: string, timeout: number): Promise<unknown> {
  const view = async () => sessionBody.parse((await gateway.get(`/v1/sessions/${sessionId}`)).body)
  await expect.poll(async () => (await view()).endReason, { timeout }).toBeDefined()
  return view()
}

test('speaks into a microphone and hears the answer; the end of the page’s session is the end of ours', async () => {
  const opened = await connected(wav)
  await event(opened, 'input_audio_buffer.speech_stopped')
  const kept = await event(opened, 'output_audio_buffer.stopped')
  const sessionId = kept.callId.replace('rtc_', 'sess_')
  expect(kept.errors).toEqual([])
  expect(kept.events.map(({ type }) => type)).not.toContain('response.output_audio.delta')
  const turns = await turnsOf(sessionId)
  expect(turns.map(({ role, voice }) => [role, voice])).toEqual([
    ['user', true],
    ['agent', true],
  ])
  const audio = turns[1]?.audio
  const heardMs = kept.sounds.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
  process.stdout.write(`Chromium heard ${Math.round(heardMs)} ms of ${audio?.sentMs} ms\n`)
  expect(audio?.playedMs).toBe(audio?.sentMs)
  expect(Math.abs(heardMs - (audio?.sentMs ?? 0))).toBeLessThan(1_000)
  await opened.evaluate(() => globalThis.talk.close())
  expect(await ended(sessionId, 10_000)).toEqual({ state: 'ended', endReason: 'client_ended', transport: 'webrtc' })
})

test('interrupts by a button: silence within 200 ms of the press, and the words are cut where they were heard', async () => {
  const opened = await connected()
  // The fake microphone beeps, which is no speech but not silence either.
  await opened.evaluate(() => globalThis.talk.mute(true))
  await opened.evaluate(() => globalThis.talk.ask('Tell me about your red sofas'))
  await event(opened, 'output_audio_buffer.started')
  await opened.waitForTimeout(3_000)
  const pressedMs = await opened.evaluate(() => {
    globalThis.talk.interrupt()
    return globalThis.talk.nowMs()
  })
  await event(opened, 'output_audio_buffer.cleared')
  await opened.waitForTimeout(1_000)
  const kept = await keptBy(opened)
  const last = kept.sounds.at(-1)
  process.stdout.write(`Chromium heard ${Math.round((last?.toMs ?? 0) - pressedMs)} ms after the press\n`)
  expect((last?.toMs ?? 0) - pressedMs).toBeLessThan(200)
  const cut = (await turnsOf(kept.callId.replace('rtc_', 'sess_'))).at(-1)
  expect(cut).toMatchObject({ role: 'agent', state: 'interrupted' })
  expect(Math.abs((cut?.audio?.playedMs ?? 0) - ((last?.toMs ?? 0) - (last?.fromMs ?? 0)))).toBeLessThan(300)
  expect(kept.errors).toEqual([])
})

test('a page that is closed without a goodbye ends its call', async () => {
  const opened = await connected()
  const { callId } = await keptBy(opened)
  await opened.close()
  expect(await ended(callId.replace('rtc_', 'sess_'), 30_000)).toMatchObject({ state: 'ended' })
})

test('a page of another origin than the secret’s reads why it is refused', async () => {
  const opened = await openPage()
  const secret = await clientSecret()
  await opened.goto(shop.origin.replace('localhost', '127.0.0.1'))
  await opened.waitForFunction(() => 'talk' in globalThis)
  const refused = await connecting(opened, secret)
  expect(refused).toContain('status 403: This page may not use this agent.')
})
