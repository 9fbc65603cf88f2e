import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import type { AgentConfigInput } from '../../gateway/agents/agents.ts'
import { createApp } from '../../gateway/app.ts'
import { readConfig } from '../../gateway/config.ts'
import { createLog } from '../../gateway/platform/log.ts'
import { approvalStates } from '../../gateway/protocol/approvals.ts'
import { replyBody } from '../harness/chat-place.ts'
import { type ScriptedCascade, startScriptedCascade } from '../harness/scripted-cascade.ts'
import { type Spawned, spawnGateway } from '../harness/spawn-gateway.ts'

/** Pays back, once per key; keeps what it was asked, and does not answer while it is told to hang. */
const asked: { readonly key: string; readonly amount: number }[] = []
const payments = { hangs: false, onAsked: (): void => undefined }
const bank = createServer(async (request, response) => {
  const body = z.object({ amount: z.number() }).parse(JSON.parse(Buffer.concat(await request.toArray()).toString()))
  asked.push({ key: String(request.headers['idempotency-key']), amount: body.amount })
  payments.onAsked()
  if (!payments.hangs) response.setHeader('content-type', 'application/json').end('{"paid":true}')
})

let model: ScriptedCascade
let dir: string
let keys: { readonly owner: string; readonly agentId: string }
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'parley-approvals-'))
  await new Promise<void>((resolve) => bank.listen(0, '127.0.0.1', resolve))
  model = await startScriptedCascade()
  model
    .on(/./, { say: 'Fine, thank you.' })
    .on(/pay back (\d+)/, (text) => ({ say: 'One moment.', calls: [call('refund', text)] }))
    .on(/give back (\d+)/, (text) => ({ say: 'One moment.', calls: [call('refund_unkeyed', text)] }))
    .on(/"waiting"/, { say: 'Somebody has to approve this first.' })
    .on(/"decision":"rejected"/, { say: 'They said no.' })
    .on(/"decision":"approved"/, { say: 'The money is on its way.' })
    .on(/"unknown":/, { say: 'We do not know yet whether it went through.' })
  keys = await setUp()
})
afterAll(async () => {
  bank.closeAllConnections()
  bank.close()
  await model.stop()
  await rm(dir, { recursive: true, force: true })
})

const call = (name: string, text: string) => ({
  name,
  arguments: JSON.stringify({ amount: Number(/(\d+)/.exec(text)?.[1]) }),
})
const env = () => ({
  ...{ PARLEY_DATA_DIR: dir, PARLEY_DEMO: 'false', PARLEY_FETCH_ALLOW: '127.0.0.1' },
  ...{ TEXT_MODELS: 'local:m', CASCADE_SERVERS: `local=${model.baseUrl}` },
})

/** A shop whose agent pays back money when a person says so. */
async function setUp() {
  const app = await createApp(readConfig(env()), { log: createLog('silent') })
  const { tenants, agents, identity, ledger, tools } = app.slices
  const { id: tenantId } = await tenants.create({ slug: 'shop', name: 'Shop' })
  await tenants.of(tenantId).change({ plan: 'enterprise' })
  const address = bank.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/refunds`
  const refund = {
    ...{ description: 'Pays money back.', kind: 'http', readOnly: false, timeoutMs: 60_000 },
    spec: { method: 'POST', url, body: { amount: '{amount}' } },
    parameters: { type: 'object', properties: { amount: { type: 'integer' } }, required: ['amount'] },
  } as const
  await tools.of(tenantId).put([
    { ...refund, name: 'refund', retry: 'keyed' },
    { ...refund, name: 'refund_unkeyed', retry: 'unknown' },
  ])
  const config: AgentConfigInput = { enabledTools: ['refund', 'refund_unkeyed'], autonomyLevel: 'supervised' }
  const { id: agentId } = await agents.of(tenantId).create({ slug: 'helper', name: 'Helper', config })
  await agents.of(tenantId).publish(agentId)
  const scopes = ['chat.create', 'conversations.read', 'approvals.read', 'approvals.decide', 'credits.read'] as const
  const { raw: owner } = await identity.createApiKey(tenantId, 'Test', { scopes: [...scopes] })
  await ledger.of(tenantId).post({ key: 'grant:test', kind: 'grant', amountMicro: 1_000_000_000, note: 'test' })
  await app.drain()
  return { owner, agentId }
}

async function ask(gateway: Spawned, path: string, body?: object): Promise<{ status: number; body: unknown }> {
  const headers = { authorization: `Bearer ${keys.owner}`, 'content-type': 'application/json' }
  const how = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
  const response = await fetch(gateway.url + path, { headers, ...how })
  return { status: response.status, body: await response.json() }
}

const view = z.looseObject({ id: z.string(), state: z.enum(approvalStates), delivery: z.string() })
const messages = z.object({ items: z.array(z.object({ role: z.string(), content: z.string() })) })

/** Asks for money back: the approval that waits, and its conversation. */
async function waiting(gateway: Spawned, message: string) {
  const { body } = await ask(gateway, '/v1/chat', { agentId: keys.agentId, message })
  const { conversationId } = replyBody.parse(body)
  const page = await ask(gateway, `/v1/approvals?state=pending&conversationId=${conversationId}`)
  const [found] = z.object({ items: z.array(view) }).parse(page.body).items
  if (found === undefined) throw new Error('nothing waits')
  return { id: found.id, conversationId, before: asked.length }
}

const now = async (gateway: Spawned, id: string) => view.parse((await ask(gateway, `/v1/approvals/${id}`)).body)

async function said(gateway: Spawned, conversationId: string): Promise<readonly string[]> {
  const { body } = await ask(gateway, `/v1/conversations/${conversationId}/messages`)
  return messages.parse(body).items.flatMap((each) => (each.role === 'assistant' ? [each.content] : []))
}

/** Approves, and kills the process in the middle of the effect. */
async function killedWhenAsked(gateway: Spawned, id: string): Promise<void> {
  const killed = new Promise<void>((resolve) => {
    payments.hangs = true
    payments.onAsked = () => {
      payments.onAsked = () => undefined
      void gateway.kill().then(resolve)
    }
  })
  expect(await ask(gateway, `/v1/approvals/${id}/approve`, {})).toMatchObject({ status: 200 })
  await killed
  payments.hangs = false
}

test('[A2] [S000-15] fifty approvals and rejections at once on one call over two processes: one outcome, one effect, told once', async () => {
  await using one = await spawnGateway(env())
  await using two = await spawnGateway(env())
  for (let round = 0; round < 3; round++) {
    const { id, conversationId, before } = await waiting(one, `pay back ${10 + round} please`)
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => {
        const [how, body] =
          (i + round) % 2 === 0 ? (['approve', {}] as const) : (['reject', { reason: 'No.' }] as const)
        return ask(i % 4 < 2 ? one : two, `/v1/approvals/${id}/${how}`, body)
      }),
    )
    const stands = new Set(answers.flatMap(({ status, body }) => (status === 200 ? [view.parse(body).state] : [])))
    expect(stands.size, `round ${round}`).toBe(1)
    expect(new Set(answers.map((each) => each.status))).toEqual(new Set([200, 409]))
    const isApproved = stands.has('approved')
    await expect
      .poll(() => now(two, id), { timeout: 60_000, interval: 500 })
      .toMatchObject({ state: isApproved ? 'done' : 'rejected', delivery: 'told' })
    expect(asked.slice(before).map((each) => each.amount)).toEqual(isApproved ? [10 + round] : [])
    const words = isApproved ? 'The money is on its way.' : 'They said no.'
    expect((await said(one, conversationId)).filter((each) => each === words)).toHaveLength(1)
  }
}, 300_000)

test('[A7] [S000-15] kill -9 between approve and effect: another process does it, once, and tells it, once', async () => {
  await using two = await spawnGateway(env())
  const one = await spawnGateway(env())
  const { id, conversationId, before } = await waiting(one, 'pay back 20 please')
  expect(await ask(one, `/v1/approvals/${id}/approve`, {})).toMatchObject({ status: 200, body: { state: 'approved' } })
  await one.kill()
  expect(asked).toHaveLength(before)
  await expect
    .poll(() => now(two, id), { timeout: 60_000, interval: 500 })
    .toMatchObject({ state: 'done', delivery: 'told' })
  expect(asked.slice(before).map((each) => each.amount)).toEqual([20])
  expect((await said(two, conversationId)).filter((each) => each === 'The money is on its way.')).toHaveLength(1)
}, 180_000)

test('[A7] kill -9 in the effect: by its key it is done again, and counts once', async () => {
  const one = await spawnGateway(env())
  const { id, conversationId, before } = await waiting(one, 'pay back 30 please')
  await killedWhenAsked(one, id)
  await using two = await spawnGateway(env())
  await expect
    .poll(() => now(two, id), { timeout: 120_000, interval: 500 })
    .toMatchObject({ state: 'done', delivery: 'told' })
  const tries = asked.slice(before)
  expect(tries).toHaveLength(2)
  expect(new Set(tries.map((each) => each.key)).size).toBe(1)
  expect((await said(two, conversationId)).filter((each) => each === 'The money is on its way.')).toHaveLength(1)
}, 240_000)

test('[A7] kill -9 in the effect of a tool that must not be repeated: shown as unknown, told, and never done again', async () => {
  const one = await spawnGateway(env())
  const { id, conversationId, before } = await waiting(one, 'give back 40 please')
  await killedWhenAsked(one, id)
  await using two = await spawnGateway(env())
  await expect
    .poll(() => now(two, id), { timeout: 120_000, interval: 500 })
    .toMatchObject({ state: 'unknown', delivery: 'told' })
  expect(asked.slice(before)).toHaveLength(1)
  expect((await said(two, conversationId)).at(-1)).toBe('We do not know yet whether it went through.')
  expect(await ask(two, `/v1/approvals/${id}/approve`, {})).toMatchObject({ status: 200, body: { state: 'unknown' } })
  expect(asked.slice(before)).toHaveLength(1)
}, 240_000)

test('[A9] kill -9 while the outcome is put into words: another process tells it, once, with one charge', async () => {
  await using two = await spawnGateway(env())
  const one = await spawnGateway(env())
  const { id, conversationId } = await waiting(one, 'pay back 50 please')
  let dead: Promise<void> | undefined
  model.on(/"decision":"rejected"/, () => {
    // Whichever of the two asks first.
    dead ??= one.kill()
    return { say: 'They said no.', wordMs: 50 }
  })
  await ask(one, `/v1/approvals/${id}/reject`, { reason: 'No.' })
  await expect.poll(() => now(two, id), { timeout: 90_000, interval: 500 }).toMatchObject({ delivery: 'told' })
  await dead
  expect(one.child.signalCode).toBe('SIGKILL')
  expect((await said(two, conversationId)).filter((each) => each === 'They said no.')).toHaveLength(1)
}, 180_000)
