import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { QueryWatch } from '../../../test/harness/indexed.ts'
import { openTestStore, type TestStore } from '../../../test/harness/store.ts'
import { systemClock } from '../../platform/clock.ts'
import { asTenantId } from '../../platform/ids.ts'
import { ensureIndexes, type Mongo, openMongo } from '../../platform/mongo.ts'
import { Problem } from '../../platform/problem.ts'
import { createQueue, type JobHandler } from './queue.ts'
import { jobStore } from './store.ts'

let store: TestStore
let watched: Mongo
const watch = new QueryWatch()
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, [jobStore.spec])
  watched = await openMongo(store.uri, store.database, { timeoutMs: 10_000, onCommand: watch.onCommand })
})
afterAll(async () => {
  await watched.close()
  await store[Symbol.asyncDispose]()
})

const actor = { kind: 'agent', id: 'agt_1', name: 'Helper' } as const
let count = 0
async function place(handler: JobHandler) {
  await store.db.collection('queued_jobs').deleteMany({ tenantId: { $gt: '' } })
  const tenantId = asTenantId(`ten_q${String(count++)}`)
  let nowMs = Date.parse('2027-01-01T00:00:00Z')
  const clock = { ...systemClock, now: () => nowMs }
  const log = pino({ level: 'silent' })
  const open = (by: JobHandler) => createQueue({ db: watched.db, clock, log, handlers: new Map([['work', by]]) })
  const queue = open(handler)
  const put = (key: string, dueInMs = 0) =>
    queue.enqueue(tenantId, { kind: 'work', payload: { key }, actor, key, dueAt: new Date(nowMs + dueInMs) })
  return { queue, open, put, tenantId, wait: (ms: number) => (nowMs += ms) }
}

test('the same key is one job; it is done once, by whichever of several processes, when it is due', async () => {
  const done: unknown[] = []
  const { queue, open, put, tenantId, wait } = await place(async ({ payload }) => ({ n: done.push(payload.key) }))
  const other = open(async ({ payload }) => ({ n: done.push(payload.key) }))
  const [first, again] = await Promise.all([put('a', 1_000), put('a', 1_000)])
  expect(again.id).toBe(first.id)
  expect(await queue.sweep()).toBe(0)
  await Promise.all(Array.from({ length: 10 }, (_, i) => put(`b${i}`, 1_000)))
  wait(1_000)
  await Promise.all([queue.sweep(), other.sweep(), queue.sweep()])
  expect(done.toSorted()).toEqual(['a', ...Array.from({ length: 10 }, (_, i) => `b${i}`)])
  expect(await queue.find(tenantId, first.id)).toMatchObject({ state: 'done', attempts: 1 })
  expect(await queue.find(asTenantId('ten_other'), first.id)).toBeUndefined()
})

test('what fails is tried again with growing patience and given up after five times; what is refused is not tried again', async () => {
  let tries = 0
  const { queue, put, tenantId, wait } = await place(async () => {
    tries++
    throw new Error('down')
  })
  const { id } = await put('a')
  await queue.sweep()
  expect(await queue.find(tenantId, id)).toMatchObject({ state: 'queued', error: 'It does not work right now.' })
  await queue.sweep()
  expect(tries).toBe(1)
  for (let i = 0; i < 8; i++) {
    wait(600_000)
    await queue.sweep()
  }
  expect(tries).toBe(5)
  expect(await queue.find(tenantId, id)).toMatchObject({ state: 'failed', attempts: 5 })
  const refusing = await place(async () => {
    throw new Problem('forbidden', 'Not this one.')
  })
  const refused = await refusing.put('b')
  await refusing.queue.sweep()
  expect(await refusing.queue.find(refusing.tenantId, refused.id)).toMatchObject({
    state: 'failed',
    error: 'Not this one.',
  })
})

test('a job whose process died is taken by the next one, and its late end changes nothing', async () => {
  const stuck = Promise.withResolvers<Record<string, unknown>>()
  const { queue, open, put, tenantId, wait } = await place(() => stuck.promise)
  const { id } = await put('a')
  const dying = queue.sweep()
  await expect.poll(async () => (await queue.find(tenantId, id))?.state).toBe('running')
  const next = open(async () => ({ by: 'next' }))
  expect(await next.sweep()).toBe(0)
  wait(61_000)
  expect(await next.sweep()).toBe(1)
  stuck.resolve({ by: 'late' })
  await dying
  expect(await queue.find(tenantId, id)).toMatchObject({ state: 'done', attempts: 2, result: { by: 'next' } })
})

test('every query is served by an index', async () => {
  expect(watch.seen).toBeGreaterThan(2)
  expect(await watch.scans(store.db, ['queued_jobs'])).toEqual([])
})
