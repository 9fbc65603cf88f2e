// The outcome of a call that waited finds its person: in the session wherever it lives, after a lost connection, or later.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import type { TestClient } from '../harness/client.ts'
import { startPair } from '../harness/pair.ts'
import { openParley, say, turnsOf, wayBack } from '../harness/returning-client.ts'
import { type ScriptedCascade, startScriptedCascade } from '../harness/scripted-cascade.ts'
import type { TestGateway } from '../harness/start-gateway.ts'

const waits = 'Somebody has to approve this first.'
const news = 'It was approved: the deal is made.'
const page = z.object({
  items: z.array(z.object({ id: z.string(), sessionId: z.string(), conversationId: z.string() })),
})
const view = z.looseObject({ state: z.string(), delivery: z.string() })

let model: ScriptedCascade
let pair: Awaited<ReturnType<typeof startPair>>
beforeAll(async () => {
  model = await startScriptedCascade()
  model
    .on(/./, { say: 'Fine, thank you.' })
    .on(/chairs/, { calls: [{ name: 'create_deal', arguments: '{"title":"Ten chairs"}' }] })
    .on(/"waiting"/, { say: waits })
    .on(/"decision":"approved"/, { say: news })
  pair = await startPair({ TEXT_MODELS: 'local:m', CASCADE_SERVERS: `local=${model.baseUrl}` })
  await careful(pair.a)
})
afterAll(async () => {
  await pair[Symbol.asyncDispose]()
  await model.stop()
})

/** The shop's agent writes, and makes deals when a person says so. */
async function careful({ app }: TestGateway): Promise<void> {
  const { tenants, agents } = app.slices
  const tenant = await tenants.bySlug('productco')
  const agent = tenant === undefined ? undefined : await agents.of(tenant.id).bySlug('productco')
  if (tenant === undefined || agent === undefined) throw new Error('seeded')
  await tenants.of(tenant.id).change({ allowedTools: { ...tenant.allowedTools, widget: 'all' } })
  await agents.of(tenant.id).saveDraft(agent.id, {
    ...{ ...agent.draft, speaks: false, requireApprovalFor: ['create_deal'] },
    enabledTools: [...agent.draft.enabledTools, 'create_deal'],
  })
  await agents.of(tenant.id).publish(agent.id)
}

const textsOf = ({ events }: TestClient) => turnsOf(events).map((each) => String(each.text))
const heard = (client: TestClient, text: string) =>
  client.until((each) => (textsOf(each).includes(text) ? true : undefined), text, 30_000)
const now = async (gateway: TestGateway, id: string) => view.parse((await gateway.get(`/v1/approvals/${id}`)).body)

/** A visitor at the first gateway whose deal waits for a person. */
async function visit() {
  const { a } = pair
  const token = await a.visitorToken()
  const client = await openParley(a.wsUrl, token)
  await client.event('parley.session')
  say(client, `item_${Math.random().toString(36).slice(2)}`, 'ten chairs please')
  await heard(client, waits)
  const { sessionId } = wayBack(client)
  const { items } = page.parse((await a.get('/v1/approvals?state=pending')).body)
  const found = items.find((each) => each.sessionId === sessionId)
  if (found === undefined) throw new Error('nothing waits')
  return { client, token, ...found }
}

async function decide(gateway: TestGateway, id: string): Promise<void> {
  const tenant = await gateway.app.slices.tenants.bySlug('productco')
  if (tenant === undefined) throw new Error('seeded')
  const auth = gateway.app.slices.identity.authFor.system(tenant.id)
  await gateway.app.slices.approvals.of(tenant.id).as(auth).approve(id, {})
}

test('[A9] decided at another process than the one of the session: told in the session, once', async () => {
  const { client, id } = await visit()
  await decide(pair.b, id)
  await heard(client, news)
  await expect.poll(() => now(pair.b, id), { timeout: 15_000 }).toMatchObject({ state: 'done', delivery: 'told' })
  const tool = turnsOf(client.events).find((each) => each.role === 'tool')
  expect(tool).toMatchObject({ tool: { state: 'ok' } })
  expect(textsOf(client).filter((text) => text === news)).toHaveLength(1)
  client.socket.close()
}, 90_000)

test('[A9] a visitor whose connection is lost when it comes hears it when they are back, in the same session', async () => {
  const { client, token, id } = await visit()
  const back = wayBack(client)
  client.socket.terminate()
  await decide(pair.b, id)
  await expect.poll(() => now(pair.b, id), { timeout: 20_000 }).toMatchObject({ state: 'done', delivery: 'owed' })
  await using again = await openParley(pair.a.wsUrl, token, back)
  expect(await again.event('parley.session')).toMatchObject({ session_id: back.sessionId })
  await heard(again, news)
  await expect.poll(() => now(pair.b, id), { timeout: 15_000 }).toMatchObject({ delivery: 'told' })
}, 90_000)

test('[A9] a visitor who has gone finds it in the conversation: written by the text model, once, and said to nobody twice', async () => {
  const { client, token, id, sessionId, conversationId } = await visit()
  client.socket.close()
  const { a, b } = pair
  const ended = z.looseObject({ state: z.string() })
  await a.post(`/v1/sessions/${sessionId}/end`, { reason: 'gone' }, { authorization: `Bearer ${a.apiKey}` })
  await expect
    .poll(async () => ended.parse((await a.get(`/v1/sessions/${sessionId}`)).body).state, { timeout: 30_000 })
    .toBe('ended')
  await decide(b, id)
  await expect.poll(() => now(b, id), { timeout: 30_000 }).toMatchObject({ state: 'done', delivery: 'told' })
  const messages = z.object({ items: z.array(z.object({ role: z.string(), content: z.string() })) })
  const { items } = messages.parse((await a.get(`/v1/conversations/${conversationId}/messages`)).body)
  expect(items.filter((each) => each.role === 'assistant' && each.content === news)).toHaveLength(1)
  expect(items.some((each) => each.role === 'tool' && each.content.includes('Ten chairs'))).toBe(true)
  await using again = await openParley(a.wsUrl, token)
  const hello = z.looseObject({ history: z.array(z.looseObject({ text: z.string() })) })
  const { history } = hello.parse(await again.event('parley.session'))
  expect(history.at(-1)?.text).toBe(news)
}, 90_000)
