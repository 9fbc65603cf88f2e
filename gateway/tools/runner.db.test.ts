import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { authAs } from '../../test/harness/auth.ts'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import type { Actor } from '../platform/access.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import { asTenantId, type TenantId } from '../platform/ids.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import { Problem } from '../platform/problem.ts'
import { unknownEffect } from './output.ts'
import type { CallPolicy } from './permission.ts'
import { createRegistry } from './registry.ts'
import { createRunner, type Rights, type Runner, type ToolRun } from './runner.ts'
import { callStore, toolStore } from './store.ts'
import { EffectUnknown, type Executor, type RetryRule, type ToolContext } from './tool.ts'

let store: TestStore
let tenantId: TenantId
let count = 0
let nowMs = 1_000_000
/** What the tool did, by the key it was given. */
const done: { key: string; args: unknown }[] = []
let act: (context: ToolContext) => Promise<object> = async () => ({ sent: true })

const executor: Executor = {
  kind: 'http',
  check: () => ({}),
  async run(_tool, args, context) {
    done.push({ key: context.key, args })
    return { ...(await act(context)) }
  },
}
const clock: Clock = { ...systemClock, now: () => nowMs }

beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, [toolStore.spec, callStore.spec])
})
afterAll(() => store[Symbol.asyncDispose]())
beforeEach(() => {
  tenantId = asTenantId(`ten_${count++}`)
  done.length = 0
  act = async () => ({ sent: true })
})

function runner(over: { readonly clock?: Clock; readonly rights?: Partial<Rights> } = {}): Runner {
  const stored = toolStore.open(store.db)
  const everybody = async (tenant: TenantId) => authAs(tenant)
  const rights: Rights = { agent: everybody, caller: everybody, system: (tenant) => authAs(tenant), ...over.rights }
  return createRunner({
    registry: createRegistry({ store: stored, builtins: [], executors: [executor] }),
    calls: callStore.open(store.db),
    park: async () => ({ output: '{"waits":true}', ok: true, is: 'waiting' }),
    ...{ rights, log: pino({ level: 'silent' }), clock: over.clock ?? clock },
  })
}

async function describe(retry: RetryRule, over: { readonly readOnly?: boolean; readonly timeoutMs?: number } = {}) {
  const registry = createRegistry({ store: toolStore.open(store.db), builtins: [], executors: [executor] })
  const tool = { name: 'send', description: 'Sends.', kind: 'http', retry, ...over }
  await toolStore.open(store.db).put(tenantId, [await registry.check(tenantId, tool)])
}
const call = (over: Partial<ToolRun> = {}): ToolRun => ({
  ...{ tenantId, sessionId: 's', callId: 'c', name: 'send', arguments: '{}', allowed: ['send'] },
  ...over,
})
const policy = (over: Partial<CallPolicy>): CallPolicy => ({
  ...{ autonomyLevel: 'autonomous', requireApprovalFor: [], toolPermissions: [] },
  ...over,
})
const permission = (over: Partial<CallPolicy['toolPermissions'][number]>) => ({
  ...{ tool: 'send', roles: [], identity: 'configured' as const, role: null, actions: null, deniedFields: [] },
  ...over,
})
const codeOf = ({ output }: { readonly output: string }) => JSON.parse(output).error?.code

/** As its process left it that died over it. */
async function leftBehind(): Promise<void> {
  const until = new Date(nowMs + 40_000)
  await callStore.open(store.db).begin({ tenantId, sessionId: 's', callId: 'c' }, { name: 'send' }, until)
}

test('a call has one key for every attempt, and another one than any other call', async () => {
  await describe('unknown')
  const run = runner()
  await run.run(call())
  await run.run(call())
  await run.run(call({ callId: 'd' }))
  expect(done).toHaveLength(2)
  expect(new Set(done.map((each) => each.key)).size).toBe(2)
})

test.each(['again', 'keyed'] as const)(
  'a process died over a call of a tool that may be tried %s: the next one does it with the same key',
  async (retry) => {
    await describe(retry)
    await leftBehind()
    nowMs += 41_000
    expect(await runner().run(call())).toMatchObject({ ok: true })
    expect(done).toHaveLength(1)
    await runner().run(call({ callId: 'other' }))
    expect(done[0]?.key).not.toBe(done[1]?.key)
  },
)

test('a process died over a call that must not be tried again: it is told as unknown, and stays so', async () => {
  await describe('unknown')
  await leftBehind()
  nowMs += 41_000
  const told = await runner().run(call())
  expect(told).toMatchObject({ ok: false, is: 'unknown' })
  expect(codeOf(told)).toBe('unknown')
  expect(await runner().run(call())).toEqual(told)
  expect(done).toEqual([])
})

test('a call that is at work in another process is waited for, and has the result of that one', async () => {
  await describe('keyed')
  const gate = Promise.withResolvers<object>()
  act = () => gate.promise
  const first = runner().run(call())
  await expect.poll(() => done.length).toBe(1)
  const second = runner().run(call())
  gate.resolve({ from: 'the first' })
  expect(await first).toEqual(await second)
  expect(done).toHaveLength(1)
})

test('of two processes that find a call left behind one does it', async () => {
  await describe('keyed')
  await leftBehind()
  nowMs += 41_000
  const results = await Promise.all([runner().run(call()), runner().run(call()), runner().run(call())])
  expect(new Set(results.map((each) => each.output)).size).toBe(1)
  expect(done).toHaveLength(1)
})

test('a lost answer, or an error that nobody expected, of a tool with effects is told as unknown', async () => {
  await describe('unknown')
  act = () => Promise.reject(new EffectUnknown('the connection was lost'))
  expect(await runner().run(call())).toEqual(
    unknownEffect(JSON.parse((await runner().run(call())).output).error.message),
  )
  act = () => Promise.reject(new Error('ECONNRESET mongodb://secret'))
  const told = await runner().run(call({ callId: 'd' }))
  expect(told).toMatchObject({ is: 'unknown' })
  expect(told.output).not.toContain('secret')
  act = () => Promise.reject(new Problem('conflict', 'This slot is taken.'))
  expect(codeOf(await runner().run(call({ callId: 'e' })))).toBe('conflict')
})

test('the time of a tool with effects is over: its signal is aborted and the call is unknown, whatever comes later', async () => {
  await describe('unknown', { timeoutMs: 100 })
  const late = Promise.withResolvers<object>()
  let signal: AbortSignal | undefined
  act = (context) => {
    signal = context.signal
    return late.promise
  }
  const run = runner()
  const told = await run.run(call())
  expect(told).toMatchObject({ is: 'unknown' })
  expect(signal?.aborted).toBe(true)
  late.resolve({ sent: true })
  await expect.poll(() => run.run(call())).toEqual(told)
  expect(done).toHaveLength(1)
})

test('a tool that only reads writes nothing down before it runs', async () => {
  await describe('again', { readOnly: true })
  let before = -1
  act = async () => {
    before = await store.db.collection('tool_results').countDocuments({ tenantId })
    return {}
  }
  await runner().run(call())
  expect(before).toBe(0)
})

test('[S000-34] a call that waits for a person does nothing, and runs when it was approved', async () => {
  await describe('unknown')
  const asked = call({ policy: policy({ requireApprovalFor: ['send'] }) })
  expect(await runner().run(asked)).toMatchObject({ is: 'waiting' })
  expect(done).toEqual([])
  expect(await runner().runApproved({ ...asked, callId: 'approval' })).toMatchObject({ ok: true })
  expect(done).toHaveLength(1)
})

test('[S000-34] a draft-only agent’s call that changes something is refused, approved or not', async () => {
  await describe('unknown')
  const asked = call({ policy: policy({ autonomyLevel: 'draft_only' }) })
  expect(codeOf(await runner().run(asked))).toBe('not_permitted')
  expect(codeOf(await runner().runApproved({ ...asked, callId: 'approval' }))).toBe('not_permitted')
  expect(done).toEqual([])
})

test('[S001-21] under `inherit` a call has its caller’s rights, and none when the caller has none any more', async () => {
  await describe('unknown')
  const seen: string[] = []
  const caller = async (tenant: TenantId, actor: Actor) =>
    actor.id === 'gone' ? undefined : authAs(tenant, { actor, may: (ability) => ability === 'entities.read' })
  act = async ({ auth }) => {
    const rights = await auth()
    seen.push(`${rights.actor.id} ${rights.may('entities.read')} ${rights.may('entities.write')}`)
    return {}
  }
  const asked = (id: string) =>
    call({
      ...{ callId: id, caller: { kind: 'operator', id, name: id } },
      policy: policy({ toolPermissions: [permission({ identity: 'inherit' })] }),
    })
  expect((await runner({ rights: { caller } }).run(asked('ann'))).ok).toBe(true)
  expect(codeOf(await runner({ rights: { caller } }).run(asked('gone')))).toBe('forbidden')
  expect(seen).toEqual(['ann true false'])
})

test('[S001-21] `configured` acts in its role, `system` with everything, denied fields are stripped, other roles refused', async () => {
  await describe('unknown')
  const roles: (string | undefined)[] = []
  const rights: Partial<Rights> = {
    agent: async (tenant, agent) => {
      roles.push(agent.role)
      return authAs(tenant)
    },
    system: (tenant, actor) => {
      roles.push(`system as ${actor.kind}`)
      return authAs(tenant)
    },
    caller: async (tenant) => authAs(tenant, { roles: ['client'] }),
  }
  act = async ({ auth }) => {
    await auth()
    return { items: [{ name: 'Ann', phone: '+41 79' }] }
  }
  const asked = (callId: string, own: Parameters<typeof permission>[0]) =>
    call({
      ...{ callId, caller: { kind: 'key', id: 'k', name: 'k' } },
      policy: policy({ toolPermissions: [permission(own)] }),
    })
  const run = runner({ rights })
  const told = await run.run(asked('1', { role: 'front-desk', deniedFields: ['phone'] }))
  expect(JSON.parse(told.output)).toEqual({ items: [{ name: 'Ann' }] })
  await run.run(asked('2', { identity: 'system' }))
  expect(codeOf(await run.run(asked('3', { roles: ['front-desk'] })))).toBe('not_permitted')
  expect((await run.run(asked('4', { roles: ['client'] }))).ok).toBe(true)
  expect(roles).toEqual(['front-desk', 'system as agent', undefined])
})

test('arguments that do not fit the descriptor’s schema never reach what runs it', async () => {
  const registry = createRegistry({ store: toolStore.open(store.db), builtins: [], executors: [executor] })
  const parameters = {
    ...{ type: 'object', required: ['to'], additionalProperties: false },
    properties: { to: { type: 'string', format: 'email' } },
  }
  const tool = await registry.check(tenantId, { name: 'send', description: 'Sends.', kind: 'http', parameters })
  await toolStore.open(store.db).put(tenantId, [tool])
  for (const args of ['{}', '{"to":"nobody"}', '{"to":"a@b.ch","cc":"x@y.z"}', '{"to":{"$ne":1}}'])
    expect(codeOf(await runner().run(call({ callId: args, arguments: args })))).toBe('invalid_arguments')
  expect(done).toEqual([])
  expect((await runner().run(call({ callId: 'ok', arguments: '{"to":"a@b.ch","cc":null}' }))).ok).toBe(true)
})

test('a descriptor with a wrong name, kind or schema is refused', async () => {
  const registry = createRegistry({ store: toolStore.open(store.db), builtins: [], executors: [executor] })
  const good = { name: 'send', description: 'Sends.', kind: 'http' }
  for (const bad of [
    { name: 'x y' },
    { kind: 'rocket' },
    { parameters: { type: 'string' } },
    { parameters: { type: 'object', properties: { a: { type: 'nothing' } } } },
    { parameters: { type: 'object', description: 'x'.repeat(40_000) } },
  ])
    await expect(registry.check(tenantId, { ...good, ...bad })).rejects.toMatchObject({ code: 'invalid' })
})
