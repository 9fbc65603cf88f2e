import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { connect } from '../harness/client.ts'
import { startScriptedRealtime } from '../harness/scripted-realtime.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startGateway()
})
afterAll(() => gateway[Symbol.asyncDispose]())

const turnsBody = z.object({
  turns: z.array(
    z.object({
      role: z.string(),
      state: z.string(),
      text: z.string(),
      unheard: z.string().optional(),
      seq: z.number(),
      channel: z.string(),
      sessionId: z.string(),
    }),
  ),
})
const receiptBody = z.object({
  totalMicro: z.number(),
  entryId: z.string(),
  lines: z.array(z.object({ amountMicro: z.number() })),
})
const entriesBody = z.object({
  items: z.array(z.object({ id: z.string(), amountMicro: z.number(), sessionId: z.string().optional() })),
})

async function ended(sessionId: string): Promise<void> {
  await expect
    .poll(async () => (await gateway.get(`/v1/sessions/${sessionId}`)).body, { timeout: 10_000 })
    .toMatchObject({ state: 'ended' })
}

test('a visitor types, is answered from the tenant’s own data, and the bill sums to the ledger', async () => {
  await using visitor = await connect(gateway.wsUrl, {
    token: await gateway.visitorToken(),
    parley: true,
    origin: gateway.url,
  })
  const hello = await visitor.event('parley.session')
  const sessionId = String(hello.session_id)
  visitor.ask('Do you have a red sofa under 500?')
  await visitor.event('response.done', 2)
  const answer = visitor
    .ofType('response.output_text.delta')
    .map((event) => String(event.delta))
    .join('')
  expect(answer).toContain('Alba 2-Seater')
  expect(answer).not.toMatch(/\$[5-9]\d\d\b/)
  visitor.send({ type: 'parley.bye' })
  expect(await visitor.ended()).toMatchObject({ code: 1000 })
  await ended(sessionId)
  const { turns } = turnsBody.parse((await gateway.get(`/v1/sessions/${sessionId}/transcript`)).body)
  expect(turns.map((turn) => turn.role)).toEqual(['user', 'tool', 'agent'])
  expect(turns.every((turn) => turn.channel === 'widget' && turn.sessionId === sessionId)).toBe(true)
  const receipt = receiptBody.parse((await gateway.get(`/v1/sessions/${sessionId}/receipt`)).body)
  const { items } = entriesBody.parse((await gateway.get('/v1/credits/entries')).body)
  expect(receipt.lines.reduce((sum, line) => sum + line.amountMicro, 0)).toBe(receipt.totalMicro)
  expect(items.find((entry) => entry.id === receipt.entryId)?.amountMicro).toBe(-receipt.totalMicro)
})

test('[S9] a visitor who cuts in is believed about what was heard, and the rest is kept as unheard', async () => {
  await using visitor = await connect(gateway.wsUrl, {
    token: await gateway.visitorToken(),
    parley: true,
    origin: gateway.url,
  })
  const sessionId = String((await visitor.event('parley.session')).session_id)
  visitor.send({ type: 'parley.voice', on: true })
  const itemId = await visitor.until(
    (client) => [...client.audioBytes].find(([, bytes]) => bytes > 48 * 1500)?.[0],
    '1.5 s of greeting',
  )
  visitor.ask('Stop, what are your delivery times?')
  const flush = await visitor.event('parley.flush')
  expect(flush.item_id).toBe(itemId)
  visitor.send({ type: 'parley.played', item_id: itemId, played_ms: 900, final: true })
  await visitor.until(
    (client) => client.ofType('parley.turn').find((event) => JSON.stringify(event).includes('"interrupted"')),
    'the interrupted turn',
  )
  visitor.send({ type: 'parley.bye' })
  await ended(sessionId)
  const { turns } = turnsBody.parse((await gateway.get(`/v1/sessions/${sessionId}/transcript`)).body)
  const [greeting] = turns
  expect(greeting).toMatchObject({ role: 'agent', state: 'interrupted' })
  expect(greeting?.text.length).toBeGreaterThan(0)
  expect(greeting?.unheard?.length).toBeGreaterThan(0)
  expect(turns.map((turn) => turn.seq)).toEqual(turns.map((turn) => turn.seq).toSorted((a, b) => a - b))
})

test('a second session of the same visitor goes on in the same conversation', async () => {
  const visitorId = 'visitor-with-memory-01'
  const token = async (): Promise<string> => {
    const { body } = await gateway.post(
      '/v1/widget/bootstrap',
      { key: 'pk_demo_cypress', visitorId },
      { origin: gateway.url },
    )
    return z.object({ token: z.string() }).parse(body).token
  }
  const first = await connect(gateway.wsUrl, { token: await token(), parley: true, origin: gateway.url })
  const { conversation_id: conversation } = await first.event('parley.session')
  first.ask('When is breakfast?')
  await first.event('response.done')
  first.send({ type: 'parley.bye' })
  await first.ended()
  await using second = await connect(gateway.wsUrl, { token: await token(), parley: true, origin: gateway.url })
  const hello = await second.event('parley.session')
  expect(hello.conversation_id).toBe(conversation)
  expect(JSON.stringify(hello.history)).toContain('When is breakfast?')
})

test('two sessions of one e-mail are one person, and usage is joined for the invoice', async () => {
  for (const [visitorId, email] of [
    ['visitor-on-laptop-1', 'Ada@Example.com'],
    ['visitor-on-mobile-1', 'ada@example.com'],
  ]) {
    const { body } = await gateway.post(
      '/v1/widget/bootstrap',
      { key: 'pk_demo_productco', visitorId, email },
      { origin: gateway.url },
    )
    const { token } = z.object({ token: z.string() }).parse(body)
    const visitor = await connect(gateway.wsUrl, { token, parley: true, origin: gateway.url })
    const { session_id: sessionId } = await visitor.event('parley.session')
    visitor.send({ type: 'parley.bye' })
    await visitor.ended()
    await ended(String(sessionId))
  }
  const day = new Date().toISOString().slice(0, 10)
  const { body } = await gateway.get(`/v1/usage/people?from=${day}&to=${day}`)
  const { people } = z
    .object({
      people: z.array(
        z.object({ emailHash: z.string().nullable(), sessions: z.number(), contactIds: z.array(z.string()) }),
      ),
    })
    .parse(body)
  const known = people.filter((person) => person.emailHash !== null)
  expect(known).toHaveLength(1)
  expect(known[0]).toMatchObject({ sessions: 2 })
})

test('words beside an image are a turn like any other', async () => {
  const provider = await startScriptedRealtime()
  try {
    await using other = await startGateway({
      OPENAI_API_KEY: 'test',
      OPENAI_BASE_URL: provider.baseUrl,
      PARLEY_ENGINE: 'openai-realtime',
    })
    await using client = await connect(other.wsUrl, {
      headers: { authorization: `Bearer ${other.apiKey}` },
      query: '?agent=productco',
    })
    const { id } = z.object({ id: z.string() }).parse((await client.event('session.created')).session)
    const image = { type: 'input_image', image_url: 'data:image/png;base64,iVBORw0KGgo=' }
    client.send({
      type: 'conversation.item.create',
      item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'What is this?' }, image] },
    })
    await client.event('conversation.item.done')
    const turns = async () => turnsBody.parse((await other.get(`/v1/sessions/${id}/transcript`)).body).turns
    expect(await turns()).toMatchObject([{ role: 'user', text: 'What is this?' }])
    expect(JSON.stringify(provider.last?.received)).toContain('iVBORw0KGgo=')
  } finally {
    await provider.stop()
  }
})

test('neither audio nor what was said nor a token is ever logged', async () => {
  await using visitor = await connect(gateway.wsUrl, {
    token: await gateway.visitorToken(),
    parley: true,
    origin: gateway.url,
  })
  visitor.ask('My secret canary is xylophone-4711')
  await visitor.event('response.done')
  expect(gateway.log.join('')).not.toContain('xylophone-4711')
  expect(gateway.log.join('')).not.toContain('eyJ')
  expect(gateway.log.length).toBeGreaterThan(0)
})
