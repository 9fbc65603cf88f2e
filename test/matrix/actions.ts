// What a person does with an agent, each written once, whatever answers and whatever carries it.

import { expect } from 'vitest'
import { z } from 'zod'
import type { Caller } from './caller.ts'
import type { ActionName, EngineName } from './cells.ts'
import { answer, found, legend, type Place, story } from './place.ts'

export interface Scene {
  readonly engine: EngineName
  readonly place: Place
  readonly call: () => Promise<Caller>
}

const delivery = 'How does the delivery work?'
const sofa = 'Do you have a red sofa?'
const tale = 'Tell me a story'
const fable = 'Tell me a legend'
const wait = 'Please wait a moment and listen to me now'
/** The demo understands no speech, and has no stories but its catalogue. */
const catalogue = 'Tell me about your red sofas'

const turnsBody = z.object({
  turns: z.array(
    z.object({
      role: z.string(),
      state: z.string(),
      text: z.string(),
      unheard: z.string().optional(),
      voice: z.boolean(),
      tool: z.object({ name: z.string(), state: z.string() }).optional(),
      audio: z.object({ sentMs: z.number(), playedMs: z.number() }).optional(),
    }),
  ),
})
type Turn = z.output<typeof turnsBody>['turns'][number]
const sessionBody = z.object({ state: z.string(), endReason: z.string().optional(), transport: z.string().optional() })
const receiptBody = z.object({
  totalMicro: z.number(),
  entryId: z.string(),
  lines: z.array(z.object({ meter: z.string(), quantity: z.number(), amountMicro: z.number() })),
})
const entriesBody = z.object({ items: z.array(z.object({ id: z.string(), amountMicro: z.number() })) })

/** A busy machine is slow; nothing waits longer than it has to. */
const patient = { timeout: 20_000, interval: 100 }

async function turnsOf({ place }: Scene, { sessionId }: Caller): Promise<readonly Turn[]> {
  return turnsBody.parse((await place.gateway.get(`/v1/sessions/${sessionId}/transcript`)).body).turns
}

async function viewOf({ place }: Scene, { sessionId }: Caller): Promise<z.output<typeof sessionBody>> {
  return sessionBody.parse((await place.gateway.get(`/v1/sessions/${sessionId}`)).body)
}

const wholeOf = ({ text, unheard = '' }: Turn): string => `${text} ${unheard}`.replaceAll(/\s+/g, ' ').trim()
const saidBy = (turns: readonly Turn[], role: string): string[] =>
  turns.filter((turn) => turn.role === role).map(wholeOf)

/** The demo has no script: it says what it knows. */
async function answered(scene: Scene, caller: Caller, text: string, times = 1): Promise<void> {
  const wanted = scene.engine === 'demo' ? expect.stringMatching(/\w/) : text
  const said = async () => saidBy(await turnsOf(scene, caller), 'agent').filter((each) => each !== 'One moment.')
  await expect.poll(said, patient).toEqual(Array.from({ length: times }, () => wanted))
}

/** The words reached the client too. */
async function told(scene: Scene, caller: Caller): Promise<void> {
  const last = saidBy(await turnsOf(scene, caller), 'agent').at(-1) ?? ''
  const words = last.split(' ').slice(0, 3).join(' ')
  await expect.poll(async () => JSON.stringify(await caller.events()), patient).toContain(words)
}

async function heard(caller: Caller, ms: number): Promise<void> {
  await expect.poll(() => caller.soundMs(), patient).toBeGreaterThan(ms)
}

/** Asks for something long. */
async function asks(scene: Scene, caller: Caller, words: string): Promise<void> {
  if (scene.engine === 'demo') return caller.ask(catalogue)
  scene.place.hears(words)
  await caller.say(words)
}

async function noErrors(caller: Caller): Promise<void> {
  expect((await caller.events()).filter(({ type }) => type === 'error')).toEqual([])
}

async function talk(scene: Scene): Promise<void> {
  await using caller = await scene.call()
  scene.place.hears(delivery)
  await caller.say(delivery)
  await answered(scene, caller, answer)
  await heard(caller, 1_500)
  await told(scene, caller)
  const [asked, reply] = await turnsOf(scene, caller)
  expect(asked).toMatchObject({ role: 'user', voice: true })
  expect(reply).toMatchObject({ role: 'agent', voice: true })
  if (scene.engine === 'demo') expect(asked?.text).toMatch(/\S/)
  else expect(asked?.text).toBe(delivery)
  await noErrors(caller)
}

async function text(scene: Scene): Promise<void> {
  await using caller = await scene.call()
  await caller.ask(delivery)
  await answered(scene, caller, answer)
  await told(scene, caller)
  expect((await turnsOf(scene, caller))[0]).toMatchObject({ role: 'user', voice: false, text: delivery })
  await noErrors(caller)
}

async function tool(scene: Scene): Promise<void> {
  await using caller = await scene.call()
  await caller.ask(sofa)
  await answered(scene, caller, found)
  await told(scene, caller)
  const ran = (await turnsOf(scene, caller)).filter(({ role }) => role === 'tool')
  expect(ran.map((turn) => turn.tool)).toMatchObject([{ name: 'search_products', state: 'ok' }])
  await noErrors(caller)
}

async function interruption(scene: Scene): Promise<void> {
  await using caller = await scene.call()
  await asks(scene, caller, tale)
  await heard(caller, 800)
  scene.place.hears(wait)
  const saying = caller.say(wait)
  const cut = async () => (await turnsOf(scene, caller)).find(({ state }) => state === 'interrupted')
  await expect.poll(cut, patient).toMatchObject({ role: 'agent', unheard: expect.stringMatching(/\w/) })
  await saying
  await expect
    .poll(async () => (await turnsOf(scene, caller)).filter(({ role }) => role === 'user'), patient)
    .toHaveLength(2)
  await expect.poll(() => caller.isHearing(), patient).toBe(false)
  const turn = await cut()
  if (turn === undefined) throw new Error('unreachable')
  if (scene.engine !== 'demo') expect(story).toContain(wholeOf(turn).slice(0, 30))
  expect(turn.text.length).toBeGreaterThan(0)
  await noErrors(caller)
}

async function mute(scene: Scene): Promise<void> {
  await using caller = await scene.call()
  await caller.mute(true)
  await caller.say('Nobody hears this.')
  expect(await turnsOf(scene, caller)).toEqual([])
  expect((await caller.events()).map(({ type }) => type)).not.toContain('input_audio_buffer.speech_started')
  await caller.mute(false)
  scene.place.hears(delivery)
  await caller.say(delivery)
  await answered(scene, caller, answer)
  expect(saidBy(await turnsOf(scene, caller), 'user')).toHaveLength(1)
  expect(await viewOf(scene, caller)).toMatchObject({ state: 'live' })
}

async function settled(
  scene: Scene,
  caller: Caller,
  reasons: readonly string[],
): Promise<z.output<typeof receiptBody>> {
  await expect.poll(async () => (await viewOf(scene, caller)).endReason, patient).toBeDefined()
  const view = await viewOf(scene, caller)
  expect(view.state).toBe('ended')
  expect(reasons).toContain(view.endReason)
  const receipt = receiptBody.parse((await scene.place.gateway.get(`/v1/sessions/${caller.sessionId}/receipt`)).body)
  const { items } = entriesBody.parse((await scene.place.gateway.get('/v1/credits/entries')).body)
  expect(receipt.lines.reduce((sum, { amountMicro }) => sum + amountMicro, 0)).toBe(receipt.totalMicro)
  expect(receipt.totalMicro).toBeGreaterThan(0)
  expect(items.find(({ id }) => id === receipt.entryId)?.amountMicro).toBe(-receipt.totalMicro)
  expect((await turnsOf(scene, caller)).filter(({ state }) => state === 'partial')).toEqual([])
  return receipt
}

/** A WebSocket that is closed may have been lost; a call that is hung up, or a client that says so, is done. */
const goodbyes = ['client_ended', 'client_gone']

async function end(scene: Scene): Promise<void> {
  await using caller = await scene.call()
  await caller.ask(delivery)
  await answered(scene, caller, answer)
  await caller.end()
  await settled(scene, caller, goodbyes)
}

const doneBody = z.object({ response: z.object({ usage: z.object({ output_tokens: z.number() }).nullish() }) })

async function engineLoss(scene: Scene): Promise<void> {
  await using caller = await scene.call()
  const beganMs = performance.now()
  const { transport } = await viewOf(scene, caller)
  await scene.place.loses(
    () => asks(scene, caller, fable),
    () => heard(caller, 1_400),
  )
  const isOver = async () => (await viewOf(scene, caller)).endReason !== undefined
  // The demo says what it knows, and the end of it is the end.
  const isDemoDone = async () => scene.engine === 'demo' && (await turnsOf(scene, caller)).at(-1)?.state === 'final'
  const saidOrOver = async () => {
    if ((await isOver()) || (await isDemoDone())) return legend
    return saidBy(await turnsOf(scene, caller), 'agent').join(' ')
  }
  await expect.poll(saidOrOver, patient).toBe(legend)
  const goesOn = !(await isOver())
  if (goesOn) {
    await expect.poll(() => caller.isHearing(), patient).toBe(false)
    await caller.ask(delivery)
    const last = async () => saidBy(await turnsOf(scene, caller), 'agent').at(-1)
    if (scene.engine !== 'demo') await expect.poll(last, patient).toBe(answer)
    await caller.end()
  }
  const receipt = await settled(scene, caller, goesOn ? goodbyes : ['engine_failed'])
  const passedS = Math.ceil((performance.now() - beganMs) / 1000)
  await chargedForWhatCame(scene, caller, receipt, { passedS, transport })
}

/** What was lost is neither time nor words of this bill. */
async function chargedForWhatCame(
  scene: Scene,
  caller: Caller,
  { lines }: z.output<typeof receiptBody>,
  { passedS, transport }: { readonly passedS: number; readonly transport: string | undefined },
): Promise<void> {
  const used = (meter: RegExp): number =>
    lines.filter((line) => meter.test(line.meter)).reduce((sum, { quantity }) => sum + quantity, 0)
  expect(used(/^session\.seconds$/)).toBeLessThanOrEqual(passedS + 1)
  // A browser's own call with GPT-Live costs fifteen seconds at once, however soon it is lost; what replaces it, its own time.
  const atOnce = transport === 'direct' ? 15 : 0
  expect(used(/^live\.seconds$/)).toBeLessThanOrEqual(atOnce + passedS + 1)
  const said = saidBy(await turnsOf(scene, caller), 'agent').join(' ')
  expect(used(/^speech\.characters$/)).toBeLessThanOrEqual(said.length)
  if (scene.engine !== 'openai-realtime' && scene.engine !== 'gemini-live') return
  const told = (await caller.events()).flatMap((event) =>
    event.type === 'response.done' ? [doneBody.parse(event).response.usage?.output_tokens ?? 0] : [],
  )
  expect(used(/^output\..*tokens$/)).toBeLessThanOrEqual(told.reduce((sum, tokens) => sum + tokens, 0))
}

export const doing: Readonly<Record<ActionName, (scene: Scene) => Promise<void>>> = {
  talk,
  text,
  tool,
  interruption,
  mute,
  end,
  'engine loss': engineLoss,
}
