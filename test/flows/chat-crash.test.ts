import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { stepNames } from '../../gateway/protocol/chat.ts'
import { replyBody } from '../harness/chat-place.ts'
import { type ScriptedCascade, startScriptedCascade } from '../harness/scripted-cascade.ts'
import { runProgram, type Spawned, spawnGateway } from '../harness/spawn-gateway.ts'
import { newApiKey } from '../harness/start-gateway.ts'

const credits = z.object({ postedMicro: z.number(), holds: z.array(z.unknown()) })
const messages = z.object({ items: z.array(z.object({ role: z.string(), content: z.string() })) })
const entries = z.object({
  items: z.array(z.object({ id: z.string(), amountMicro: z.number() })),
  next: z.string().nullable(),
})

let model: ScriptedCascade
let dir: string
const key = newApiKey()
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'parley-crash-'))
  model = await startScriptedCascade()
  model
    .on(/./, { say: 'Fine, thank you.' })
    .on(/sofa/, { say: 'One moment.', calls: [{ name: 'search_products', arguments: '{"query":"sofa"}' }] })
    .on(/"items"/, { say: 'There are sofas.' })
})
afterAll(async () => {
  await model.stop()
  await rm(dir, { recursive: true, force: true })
})

const env = (data: string) => ({
  PARLEY_DATA_DIR: data,
  PARLEY_DEMO_API_KEY: key,
  TEXT_MODELS: 'local:m',
  CASCADE_SERVERS: `local=${model.baseUrl}`,
})
const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }

async function get<T>(gateway: Spawned, path: string, schema: z.ZodType<T>): Promise<T> {
  return schema.parse(await (await fetch(gateway.url + path, { headers })).json())
}

async function say(gateway: Spawned, body: object): Promise<z.output<typeof replyBody>> {
  const response = await fetch(`${gateway.url}/v1/agents/productco/chat`, {
    ...{ method: 'POST', headers, body: JSON.stringify(body) },
  })
  const answer: unknown = await response.json()
  if (response.status !== 200) throw new Error(JSON.stringify(answer))
  return replyBody.parse(answer)
}

test('[C2] kill -9 inside each of the thirteen steps, and the client asks again: one reply and one charge each, and the ledger replays', async () => {
  const message = (step: string) => ({
    message: 'a sofa',
    messageId: `dies-${step}`,
    contact: { visitorId: `vis-${step}` },
  })
  for (const step of stepNames) {
    const gateway = await spawnGateway(env(dir), ['test/harness/dying-gateway.ts', step])
    gateway.child.kill('SIGUSR2')
    await expect.poll(() => gateway.output(), { timeout: 10_000 }).toContain('armed')
    await expect(say(gateway, message(step)), step).rejects.toThrow(/fetch failed|terminated/)
    await expect.poll(() => gateway.child.signalCode, { timeout: 10_000 }).toBe('SIGKILL')
  }
  await using gateway = await spawnGateway(env(dir))
  const before = model.chats.length
  const replies = await Promise.all(stepNames.map((step) => say(gateway, message(step))))
  // Whoever died before the answer was stored has it asked for again; nobody after.
  expect(model.chats.length - before).toBeLessThanOrEqual(2 * 10)
  for (const [i, reply] of replies.entries()) {
    expect(reply, stepNames[i]).toMatchObject({ text: 'One moment.\n\nThere are sofas.', creditsMicro: 3_000_000 })
    const { items } = await get(gateway, `/v1/conversations/${reply.conversationId}/messages`, messages)
    expect(
      items.map((each) => each.role),
      stepNames[i],
    ).toEqual(['user', 'assistant', 'tool', 'assistant'])
  }
  const again = await Promise.all(stepNames.map((step) => say(gateway, message(step))))
  expect(again).toEqual(replies)
  const { postedMicro, holds } = await get(gateway, '/v1/credits', credits)
  expect([postedMicro, holds]).toEqual([(10_000 - 3 * stepNames.length) * 1_000_000, []])
  const { items } = await get(gateway, '/v1/credits/entries?limit=200', entries)
  expect(items.filter((each) => each.amountMicro < 0)).toHaveLength(stepNames.length)
  const check = await runProgram(join(import.meta.dirname, '../../scripts/ledger-check.ts'), [], {
    ...env(dir),
    LOG_LEVEL: 'warn',
  })
  expect(check.code, check.output).toBe(0)
}, 400_000)

test('[C3] a hundred messages of one contact over two processes are answered one after the other, each once', async () => {
  const data = await mkdtemp(join(tmpdir(), 'parley-two-'))
  try {
    await using one = await spawnGateway(env(data))
    await using two = await spawnGateway(env(data))
    const contact = { visitorId: 'ada' }
    const replies = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        say(i % 2 === 0 ? one : two, { message: `question ${i}`, messageId: `q-${i}`, contact }),
      ),
    )
    const [first] = replies
    expect(new Set(replies.map((each) => each.conversationId)).size).toBe(1)
    const path = `/v1/conversations/${first?.conversationId}/messages?limit=200`
    const { items } = await get(two, path, messages)
    expect(items.map((each) => each.role)).toEqual(
      Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? 'user' : 'assistant')),
    )
    expect(new Set(items.map((each) => each.content)).size).toBe(101)
    expect((await get(one, '/v1/credits', credits)).postedMicro).toBe((10_000 - 100) * 1_000_000)
  } finally {
    await rm(data, { recursive: true, force: true })
  }
}, 200_000)
