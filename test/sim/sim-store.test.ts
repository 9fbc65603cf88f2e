// The simulated store beside the embedded one: the same commands, as simulated gateways sent them, at the same times. And
// the translated Redis scripts beside the Lua they stand for.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deserialize, Long } from 'bson'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Engine } from '../../gateway/embedded/engine.ts'
import { projector } from '../../gateway/embedded/project.ts'
import { Keyspace } from '../../gateway/embedded/redis/keyspace.ts'
import { type Doc, isPlain, typeName } from '../../gateway/embedded/value.ts'
import { createSlots } from '../../gateway/usage/slots.ts'
import { redisCommands, sha1, translations } from './sim-redis.ts'
import { project, type Query, read, SimStore, type Updated, type UpdateRequest } from './sim-store.ts'
import { runSeed } from './world.ts'

type Op = (engine: Engine) => Promise<void>

/** A SimStore that keeps what it was asked, with a check of what it answered. */
class RecordingStore extends SimStore {
  readonly ops: { readonly at: Date; readonly run: Op }[] = []

  override find(name: string, query: Query): Doc[] {
    const docs = super.find(name, query)
    const { filter, sort, limit } = query
    this.#keep(async (engine) => {
      const command = { find: name, filter, ...(sort && { sort }), ...(limit && { limit }), batchSize: 10_000 }
      const found = batchOf(await engine.run({ ...command, $db: 'test' }, engine))
      expect(inOrder(found, sort), JSON.stringify(command)).toEqual(inOrder(docs, sort))
    })
    return docs
  }

  override update(name: string, request: UpdateRequest, by: string): Updated {
    const { filter, update, upsert = false, multi = false } = request
    let refused = false
    let result: Updated | undefined
    try {
      result = super.update(name, request, by)
      return result
    } catch (error) {
      refused = true
      throw error
    } finally {
      this.#keep(async (engine) => {
        const statement = { q: clean(filter), u: clean(update), upsert, multi }
        const reply = await engine.run({ update: name, updates: [statement], $db: 'test' }, engine)
        if (Buffer.isBuffer(reply)) throw new Error('no reply of an update')
        expect(reply.writeErrors !== undefined, JSON.stringify(statement)).toBe(refused)
        if (result === undefined) return
        const { matched, modified, upsertedId } = result
        expect(reply, JSON.stringify(statement)).toMatchObject({
          n: matched || (upsertedId === null ? 0 : 1),
          nModified: modified,
        })
      })
    }
  }

  override insert(name: string, given: Doc, by: string): boolean {
    const inserted = super.insert(name, given, by)
    this.#keep(async (engine) => {
      const reply = await engine.run({ insert: name, documents: [clean(given)], ordered: false, $db: 'test' }, engine)
      if (Buffer.isBuffer(reply)) throw new Error('no reply of an insert')
      expect(reply.n).toBe(inserted ? 1 : 0)
    })
    return inserted
  }

  override aggregate(name: string, pipeline: readonly Doc[]) {
    const opened = super.aggregate(name, pipeline)
    const docs = opened.finish(opened.docs)
    this.#keep(async (engine) => {
      const found = batchOf(
        await engine.run({ aggregate: name, pipeline, cursor: { batchSize: 10_000 }, $db: 'test' }, engine),
      )
      expect(inOrder(found.map(read), undefined)).toEqual(inOrder(docs, undefined))
    })
    return opened
  }

  #keep(run: Op): void {
    this.ops.push({ at: this.now, run })
  }
}

/** What the driver would send. */
function clean(value: Doc): Doc
function clean(value: unknown): unknown
function clean(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => clean(item))
  if (!isPlain(value)) return value
  const present = Object.entries(value).filter(([, item]) => item !== undefined)
  return Object.fromEntries(present.map(([key, item]) => [key, clean(item)]))
}

function batchOf(reply: unknown): Doc[] {
  const body = Buffer.isBuffer(reply) ? deserialize(reply, { promoteLongs: false }) : reply
  const cursor = isPlain(body) ? body.cursor : undefined
  if (!isPlain(cursor) || !Array.isArray(cursor.firstBatch)) throw new Error(`no cursor: ${JSON.stringify(body)}`)
  return cursor.firstBatch
}

/** Types told, fields by name: two stores may write the fields of one update in another order. */
function told(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(told)
  if (value instanceof Date) return value.toISOString()
  if (!isPlain(value)) return `${typeName(value)} ${String(value)}`
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, told(value[key])]),
  )
}

function inOrder(docs: readonly Doc[], sort: Doc | undefined): unknown[] {
  const all = docs.map(told)
  return sort === undefined ? all.map((each) => JSON.stringify(each)).sort() : all.map((each) => JSON.stringify(each))
}

/** A Date that says `at`, and is a Date for all else: BSON types go by prototype. */
function stoppedAt(at: Date): unknown {
  function Stopped(given?: number): Date {
    return new RealDate(given ?? at)
  }
  Stopped.prototype = RealDate.prototype
  return Object.assign(Stopped, { now: () => at.getTime(), parse: RealDate.parse, UTC: RealDate.UTC })
}

const RealDate = Date

let dir: string
let engine: Engine
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'parley-sim-'))
  engine = new Engine({ dir, sync: 'NORMAL', address: 'sim' })
})
afterEach(() => {
  engine.close()
  rmSync(dir, { recursive: true, force: true })
  vi.unstubAllGlobals()
})

test('the embedded store answers every command of a simulated world as the simulated one did', {
  timeout: 120_000,
}, async () => {
  let count = 0
  for (let seed = 1; seed <= 6; seed++) {
    vi.unstubAllGlobals()
    let store: RecordingStore | undefined
    await runSeed(seed, { openStore: (options) => (store = new RecordingStore(options)) })
    await engine.run({ dropDatabase: 1, $db: 'test' }, engine)
    for (const { at, run } of store?.ops ?? []) {
      vi.stubGlobal('Date', stoppedAt(at))
      await run(engine)
      count++
    }
  }
  expect(count).toBeGreaterThan(2_000)
})

test('a projection gives what the embedded one gives', () => {
  const doc = {
    _id: 'a',
    v: 3,
    posted: Long.fromNumber(5e9),
    holds: { h: { used: 1 } },
    outbox: { 'k:1': { n: 2 }, 'k:2': { n: 3 } },
  }
  for (const spec of [
    { v: 1, posted: 1, gone: 1 },
    { 'outbox.k:1': 1 },
    { 'outbox.none': 1 },
    { _id: 1 },
    { 'holds.h.used': 1, v: 1 },
  ])
    expect(project(doc, spec, new Date(0)), JSON.stringify(spec)).toEqual(read(projector(spec, {})?.(doc) ?? {}))
  expect(project(doc, { v: 1, now: '$$NOW' }, new Date(7))).toEqual({ _id: 'a', v: 3, now: new Date(7) })
})

test('the translated scripts do what their Lua does', () => {
  const sources = new Map<string, string>()
  const redis = {
    createScript: (source: string) => {
      sources.set(sha1(source), source)
      return {}
    },
  }
  createSlots(redis as unknown as Parameters<typeof createSlots>[0])
  expect([...sources.keys()].sort(), 'a script changed: translate it again').toEqual([...translations.keys()].sort())

  const session = fc.constantFrom('sess_a', 'sess_b', 'sess_c')
  const small = fc.nat(4).map(String)
  const acquire = fc.tuple(
    session,
    fc.constantFrom('1', '2'),
    fc.constant('30000'),
    fc.array(session, { maxLength: 1 }),
  )
  const beat = fc.tuple(
    session,
    fc.constant('30000'),
    fc.constantFrom('1', '2', '3'),
    fc.constant('60000'),
    small,
    small,
  )
  const step = fc.oneof(
    acquire.map(([id, limit, lease, evict]) => ({ script: 0, keys: ['slots'], args: [id, limit, lease, ...evict] })),
    beat.map(([id, lease, epoch, keep, seconds, calls]) => ({
      script: 1,
      keys: ['slots', `counters:${id}`],
      args: [id, lease, epoch, keep, 'seconds', seconds, 'calls', calls],
    })),
  )
  const [first = '', second = ''] = sources.keys()
  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.nat(20_000)), { maxLength: 20 }), (steps) => {
      let nowMs = 1_000_000
      const spaces = [new Keyspace(() => nowMs), new Keyspace(() => nowMs)]
      const [lua, translated] = spaces.map(redisCommands)
      try {
        for (const [{ script, keys, args }, waitMs] of steps) {
          nowMs += waitMs
          const name = script === 0 ? first : second
          const source = sources.get(name) ?? ''
          const expected = lua?.(['EVAL', source, String(keys.length), ...keys, ...args])
          const answer = translated === undefined ? undefined : translations.get(name)?.(translated, keys, args)
          expect(answer).toEqual(expected)
          for (const run of ['sess_a', 'sess_b', 'sess_c'])
            expect(translated?.(['HGETALL', `counters:${run}`])).toEqual(lua?.(['HGETALL', `counters:${run}`]))
          expect(translated?.(['ZRANGE', 'slots', '0', '-1', 'WITHSCORES'])).toEqual(
            lua?.(['ZRANGE', 'slots', '0', '-1', 'WITHSCORES']),
          )
        }
      } finally {
        for (const space of spaces) space.clear()
      }
    }),
    { numRuns: 100 },
  )
})
