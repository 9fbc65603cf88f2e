// A model that wants harm, behind the chat and behind a session: whatever it asks for, what is stored and what leaves is what
// the agent's policy allows. Seeded: the same run every time.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { stored } from '../harness/chat-place.ts'
import { connect } from '../harness/client.ts'
import { given, type HostileScene, openHostileScene, secretValue, trap } from './hostile-model/scene.ts'
import {
  badArguments,
  lookalikes,
  pathAttacks,
  seeded,
  unlisted,
  type WickedCall,
} from './hostile-model/wicked-calls.ts'

/** Of one answer of a model: more are refused whatever they are. */
const perAnswer = 8
let scene: HostileScene

beforeAll(async () => {
  scene = await openHostileScene()
}, 60_000)
afterAll(() => scene[Symbol.asyncDispose]())

/** In answers of eight, each of them to be refused; nothing is different afterwards. */
async function comeToNothing(calls: readonly WickedCall[], codes: readonly string[]): Promise<void> {
  const before = await scene.state()
  const asked = scene.asked.length
  for (let from = 0; from < calls.length; from += perAnswer) {
    const some = calls.slice(from, from + perAnswer)
    const told = await scene.wants(some)
    expect(told.map((each, i) => [some[i]?.name, codes.includes(each.code ?? '')])).toEqual(
      some.map((each) => [each.name, true]),
    )
    expect(JSON.stringify(told)).not.toContain('canary-foreign')
  }
  expect(await scene.state()).toEqual(before)
  expect(scene.asked).toHaveLength(asked)
}

describe('what the agent was not given', () => {
  test('[INJ-03] every tool of the gateway that is not on its list is refused in one and the same way', async () => {
    const all = await scene.place.gateway.app.slices.tools.of(scene.shop.tenantId).all()
    const names = all.map((each) => each.name).filter((name) => !given.some((each) => each === name))
    expect(names.length).toBeGreaterThan(25)
    await comeToNothing(unlisted(names, scene.targets), ['unknown_tool'])
  }, 120_000)

  test('[INJ-03] names that look like one of its own are no tool', async () => {
    await comeToNothing(lookalikes('create_deal'), ['unknown_tool'])
  }, 60_000)

  test('a tool of another tenant is not there', async () => {
    const { tools } = scene.place.gateway.app.slices
    await tools.of(scene.other.tenantId).put([{ name: 'theirs', kind: 'entity.delete', description: 'Deletes.' }])
    await comeToNothing([{ why: 'theirs', name: 'theirs', arguments: '{"type":"deal","id":"x"}' }], ['unknown_tool'])
  })
})

describe('arguments', () => {
  test('[INJ-06] 100 KB, a thousand levels, __proto__, operators and additional fields fit no tool', async () => {
    const calls = [
      ...badArguments('search_knowledge', { query: 'hours' }),
      ...badArguments('track_parcel', { number: '1' }),
      ...badArguments('create_deal', { title: 'pwned' }),
    ]
    await comeToNothing(
      calls.filter((each) => each.arguments !== ''),
      ['invalid_arguments'],
    )
    expect(Object.prototype).not.toHaveProperty('polluted')
  }, 120_000)

  test('[INJ-04] whose data it is comes from the conversation: ids of others, here and of another tenant, give nothing', async () => {
    const { own, foreign } = scene.targets
    const ids = [own.contact, foreign.contact, foreign.deal, foreign.agent, foreign.tenant, "' or 1=1", '*']
    await comeToNothing(
      ids.map((id) => ({ why: 'another’s', name: 'get_contact', arguments: JSON.stringify({ id }) })),
      ['not_found', 'forbidden'],
    )
    const [mine] = await scene.wants([{ why: 'own', name: 'get_contact', arguments: '{}' }])
    expect(mine?.ok).toBe(true)
  })

  test('[INJ-06] places of a request stay places: one host, one path segment, no header of their own, no secret told', async () => {
    const before = await scene.state()
    const from = scene.asked.length
    const random = seeded(4711)
    const mixed = Array.from({ length: 24 }, () =>
      Array.from({ length: 3 }, () => pathAttacks[Math.floor(random() * pathAttacks.length)]?.slice(0, 300)).join(
        ['', '/', '?', '\\'][Math.floor(random() * 4)],
      ),
    )
    const calls = [...pathAttacks, ...mixed].flatMap((number) =>
      [{ number }, { number: '1', note: number }].map((args) => ({
        ...{ why: 'template', name: 'track_parcel', arguments: JSON.stringify(args) },
      })),
    )
    for (let at = 0; at < calls.length; at += perAnswer) await scene.wants(calls.slice(at, at + perAnswer))
    const asked = scene.asked.slice(from)
    expect(asked.length).toBeGreaterThan(20)
    for (const { method, url, headers, body } of asked) {
      expect([method, body]).toEqual(['GET', ''])
      expect(url).toMatch(/^\/parcels\/[^/?#\\]+(\?note=[^&#]*)?$/)
      expect(new URL(url, 'http://x').pathname.split('/')).toHaveLength(3)
      expect(headers.host).toMatch(/^127\.0\.0\.1:\d+$/)
      expect(Object.keys(headers)).not.toContain('x-evil')
    }
    expect(await scene.state()).toEqual(before)
  }, 240_000)
})

describe('what comes back', () => {
  test('[SSRF-14] instructions in a tool’s answer and on a page are data: what they ask for is refused as ever', async () => {
    scene.answers(JSON.stringify({ state: trap }))
    const before = await scene.state()
    // The model obeys whatever it reads.
    const ordered = [
      { name: 'entity_delete', arguments: JSON.stringify({ type: 'deal', id: scene.targets.own.deal }) },
      { name: 'place_order', arguments: '{"number":"1"}' },
      { name: 'approve', arguments: '{"all":true}' },
    ].map((each) => ({ why: 'a page said so', ...each }))
    scene.obeys = (input) => (input.includes('ignore all previous') ? ordered : undefined)
    for (const [name, args] of [
      ['track_parcel', { number: '7' }],
      ['search_knowledge', { query: 'returns' }],
    ] as const) {
      const told = await scene.wants([{ why: 'trap', name, arguments: JSON.stringify(args) }])
      expect(told[0]).toMatchObject({ ok: true, output: expect.stringContaining('ignore all previous') })
      expect(told.slice(1).map((each) => each.code)).toEqual(['unknown_tool', 'unknown_tool', 'unknown_tool'])
    }
    scene.obeys = () => undefined
    expect(await scene.state()).toEqual(before)
    scene.answers('{"state":"on its way"}')
  }, 60_000)

  test('[SSRF-16] a credential that the other side says back is not told, stored or logged', async () => {
    scene.answers(JSON.stringify({ state: `you sent ${secretValue}` }))
    const [told] = await scene.wants([{ why: 'echo', name: 'track_parcel', arguments: '{"number":"8"}' }])
    expect(told?.ok).toBe(true)
    expect(told?.output).not.toContain(secretValue)
    expect(JSON.stringify(scene.place.model.chats)).not.toContain(secretValue)
    expect(JSON.stringify(await stored(scene.place.gateway, 'turns', scene.shop.tenantId))).not.toContain(secretValue)
    expect(scene.place.gateway.log.join('\n')).not.toContain(secretValue)
    scene.answers('{"state":"on its way"}')
  })
})

const call = (number: string, name = 'track_parcel'): WickedCall => ({
  ...{ why: 'many', name, arguments: JSON.stringify({ number }) },
})

describe('calls', () => {
  test('a flood: no more than eight of one message run, every one is answered, and the message ends', async () => {
    const from = scene.asked.length
    const told = await scene.wants(Array.from({ length: 60 }, (_, n) => call(String(n))))
    expect(told).toHaveLength(60)
    expect(told.filter((each) => each.ok)).toHaveLength(perAnswer)
    expect(scene.asked.length - from).toBe(perAnswer)
    // And a model that never stops.
    const at = scene.asked.length
    await scene.wants(...Array.from({ length: 40 }, (_, n) => [{ ...call(String(n)), id: `circle_${n}` }]))
    expect(scene.asked.length - at).toBeLessThanOrEqual(perAnswer)
  }, 120_000)

  test('ids that a model writes count for nothing: one used again is a call of its own, judged anew', async () => {
    const from = scene.asked.length
    const same = (number: string, name?: string) => [{ ...call(number, name), id: 'call_same' }]
    const told = await scene.wants(same('1'), same('2'), same('3', 'place_order'))
    expect(told.map((each) => each.code)).toEqual([undefined, undefined, 'unknown_tool'])
    expect(scene.asked.slice(from).map((each) => each.url)).toEqual(['/parcels/1', '/parcels/2'])
  })

  test('an approved call runs with the arguments that a person saw, once, however the model repeats and changes it', async () => {
    const before = await deals()
    const deal = (args: object, id = 'deal_1') => [
      { ...{ why: 'approval', name: 'create_deal', id }, arguments: JSON.stringify(args) },
    ]
    const told = await scene.wants(
      deal({ title: 'Ten chairs' }),
      deal({ title: 'Ten thousand chairs' }),
      deal({ title: 'Ten chairs', approved: true, approvalId: 'appr_1' }, 'deal_2'),
    )
    expect(told.at(-1)?.code).toBe('invalid_arguments')
    // Each stands there with its own arguments: nobody approves one and has the other done.
    const waiting = (await pending()).find((each) => each.arguments.title === 'Ten chairs')
    const approve = () => scene.place.gateway.post(`/v1/approvals/${waiting?.id}/approve`, {}, desk)
    await approve()
    // While it waits for its effect the model goes on.
    await scene.wants(deal({ title: 'Ten million chairs' }))
    await expect.poll(async () => (await deals()).length, { timeout: 20_000 }).toBe(before.length + 1)
    await approve()
    expect((await deals()).filter((title) => title.includes('chairs'))).toEqual(['Ten chairs'])
    for (const each of await pending()) await scene.place.gateway.post(`/v1/approvals/${each.id}/reject`, {}, desk)
  }, 60_000)

  let desk: Record<string, string>
  beforeEach(async () => {
    const scopes = ['approvals.read', 'approvals.decide'] as const
    const { raw } = await scene.place.gateway.app.slices.identity.createApiKey(scene.shop.tenantId, 'Desk', {
      scopes: [...scopes],
    })
    desk = { authorization: `Bearer ${raw}` }
  })
})

async function deals(): Promise<readonly string[]> {
  const { entities, identity } = scene.place.gateway.app.slices
  const mine = entities.of(scene.shop.tenantId).as(identity.authFor.system(scene.shop.tenantId))
  return (await mine.list('deal', { limit: 100 })).items.map((each) => String(each.data.title))
}

interface Pending {
  readonly id: string
  readonly arguments: { readonly title?: string }
}

async function pending(): Promise<readonly Pending[]> {
  const response = await scene.shop.get('/v1/approvals?state=pending')
  const { items } = JSON.parse(JSON.stringify(response))
  return Promise.all(items.map((each: { id: string }) => scene.shop.get(`/v1/approvals/${each.id}`)))
}

test('[INJ-03] in a session it is the same: what the agent was not given does not run, and nothing is different', async () => {
  const { place, shop, targets } = scene
  const headers = { authorization: `Bearer ${shop.key}` }
  // What was decided before is told first: that, too, is written down.
  await expect.poll(async () => JSON.stringify(await scene.state()).includes('owed'), { timeout: 20_000 }).toBe(false)
  const before = await scene.state()
  const calls = [
    ...unlisted(['entity_delete', 'update_deal', 'event_emit', 'place_order'], targets),
    ...lookalikes('create_deal').slice(0, 8),
    ...badArguments('track_parcel', { number: '1' }).slice(1, 12),
  ]
  const client = await connect(place.gateway.wsUrl, { query: `?agent=${shop.slug}`, headers })
  await client.event('session.created')
  for (const [n, wanted] of calls.entries()) {
    const answered = client.ofType('response.done').length
    let isAsked = false
    scene.obeys = () => {
      if (isAsked) return undefined
      isAsked = true
      return [wanted]
    }
    client.ask(`session ${n}`)
    await client.until((each) => each.ofType('response.done')[answered], `call ${n}`)
    // What is not the gateway's own is the client's to answer: here it has nothing to do with it.
    const callId = client.ofType('response.function_call_arguments.done').at(-1)?.call_id
    if (!given.some((name) => name === wanted.name)) {
      const item = { type: 'function_call_output', call_id: callId, output: '{"error":"no such function"}' }
      client.send({ type: 'conversation.item.create', item })
      client.send({ type: 'response.create' })
    }
    await client.until((each) => each.ofType('response.done')[answered + 1], `answer ${n}`)
  }
  scene.obeys = () => undefined
  await client[Symbol.asyncDispose]()
  expect(await scene.state()).toEqual(before)
}, 180_000)
