import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { QueryWatch } from '../../../test/harness/indexed.ts'
import { openTestStore, type TestStore } from '../../../test/harness/store.ts'
import { systemClock } from '../../platform/clock.ts'
import { asTenantId, newId, type TenantId } from '../../platform/ids.ts'
import { ensureIndexes, type Mongo, openMongo } from '../../platform/mongo.ts'
import { createLocalKeys, type KeyService, type WrappedKey } from './key-service.ts'
import { secretStore } from './secret-store.ts'
import { createSecrets } from './secrets.ts'

/** A key management service: the key never leaves it, it answers later, and it may be away. */
class FakeKms implements KeyService {
  readonly #inner = createLocalKeys([randomBytes(32)])
  readonly current = 'kms-key-7'
  isUp = true
  asked = 0

  async #answer(): Promise<void> {
    this.asked++
    await new Promise((resolve) => setTimeout(resolve, 2))
    if (!this.isUp) throw new Error('the key management service does not answer')
  }
  async wrap(dataKey: Buffer, context: string): Promise<WrappedKey> {
    await this.#answer()
    return { ...(await this.#inner.wrap(dataKey, context)), version: this.current }
  }
  async unwrap(key: WrappedKey, context: string): Promise<Buffer> {
    await this.#answer()
    return this.#inner.unwrap({ ...key, version: this.#inner.current }, context)
  }
}

const watch = new QueryWatch()
let store: TestStore
let mongo: Mongo
let tenantId: TenantId
beforeAll(async () => {
  store = await openTestStore()
  mongo = await openMongo(store.uri, store.database, { timeoutMs: 10_000, onCommand: watch.onCommand })
  await ensureIndexes(mongo.db, secretStore.specs)
})
afterAll(async () => {
  await mongo.close()
  await store[Symbol.asyncDispose]()
})
beforeEach(() => {
  tenantId = asTenantId(newId('ten'))
})

const secretsBy = (keys: KeyService) => createSecrets({ db: mongo.db, clock: systemClock, keys })
const raw = async () =>
  JSON.stringify([
    await store.db.collection('secrets').find({}).toArray(),
    await store.db.collection('data_keys').find({}).toArray(),
  ])

describe('a secret', () => {
  test('is read as it was set, exchanged, listed without its value, and removed', async () => {
    const secrets = secretsBy(createLocalKeys([randomBytes(32)])).of(tenantId)
    await secrets.put('STRIPE_KEY', 'sk_live_1', 'Ann')
    await secrets.put('STRIPE_KEY', 'sk_live_2', 'Bob')
    await secrets.put('A.other-one', 'ünïcode ✓', 'Ann')
    expect(await secrets.get('STRIPE_KEY')).toBe('sk_live_2')
    expect(await secrets.get('A.other-one')).toBe('ünïcode ✓')
    const first = await secrets.list({ limit: 1 })
    expect(first).toMatchObject({ items: [{ name: 'A.other-one', setBy: 'Ann' }], next: 'A.other-one' })
    const rest = await secrets.list({ limit: 1, cursor: 'A.other-one' })
    expect(rest).toMatchObject({ items: [{ name: 'STRIPE_KEY', setBy: 'Bob' }], next: null })
    expect(JSON.stringify([first, rest])).not.toMatch(/sk_live|e_2/)
    await secrets.remove('STRIPE_KEY')
    expect(await secrets.get('STRIPE_KEY')).toBeUndefined()
    await expect(secrets.remove('STRIPE_KEY')).rejects.toMatchObject({ code: 'not_found' })
  })

  test('is not in the store in the clear, and the same value twice looks different', async () => {
    const secrets = secretsBy(createLocalKeys([randomBytes(32)])).of(tenantId)
    await secrets.put('A', 'planted-secret-4711', 'Ann')
    await secrets.put('B', 'planted-secret-4711', 'Ann')
    const stored = await raw()
    for (const form of ['utf8', 'base64', 'base64url', 'hex'] as const)
      expect(stored).not.toContain(Buffer.from('planted-secret-4711').toString(form))
    const docs = await store.db.collection('secrets').find({ tenantId }).toArray()
    expect(new Set(docs.map((each) => each.envelope)).size).toBe(2)
  })

  test('of another tenant is not there, and its text copied over to another place does not open', async () => {
    const all = secretsBy(createLocalKeys([randomBytes(32)]))
    const other = asTenantId(newId('ten'))
    await all.of(other).put('A', 'theirs', 'Ann')
    await all.of(tenantId).put('A', 'ours', 'Ann')
    await all.of(tenantId).put('B', 'ours too', 'Ann')
    expect(await all.of(tenantId).get('A')).toBe('ours')
    const secrets = store.db.collection('secrets')
    const [a, theirs] = [
      await secrets.findOne({ tenantId, name: 'A' }),
      await secrets.findOne({ tenantId: other, name: 'A' }),
    ]
    for (const envelope of [a?.envelope, theirs?.envelope]) {
      await secrets.updateOne({ tenantId, name: 'B' }, { $set: { envelope } })
      await expect(all.of(tenantId).get('B')).rejects.toThrow()
    }
  })

  test('set by 20 at once for a tenant without a key is readable, and there is one key', async () => {
    const secrets = secretsBy(createLocalKeys([randomBytes(32)])).of(tenantId)
    await Promise.all(Array.from({ length: 20 }, (_, n) => secrets.put(`S${n}`, `value ${n}`, 'Ann')))
    for (let n = 0; n < 20; n++) expect(await secrets.get(`S${n}`)).toBe(`value ${n}`)
    expect(await store.db.collection('data_keys').countDocuments({ tenantId })).toBe(1)
  })
})

describe('rotation', () => {
  test('of the master key: the old one reads until everything is wrapped anew, then it is not needed', async () => {
    const [before, after] = [randomBytes(32), randomBytes(32)]
    await secretsBy(createLocalKeys([before]))
      .of(tenantId)
      .put('A', 'kept', 'Ann')
    await expect(
      secretsBy(createLocalKeys([after]))
        .of(tenantId)
        .get('A'),
    ).rejects.toThrow('PARLEY_MASTER_KEY_PREVIOUS')
    const both = secretsBy(createLocalKeys([after, before]))
    expect(await both.of(tenantId).get('A')).toBe('kept')
    await store.db.collection('data_keys').deleteMany({ tenantId: { $ne: tenantId } })
    expect(await both.rewrap()).toBe(1)
    expect(await both.rewrap(), 'again').toBe(0)
    expect(
      await secretsBy(createLocalKeys([after]))
        .of(tenantId)
        .get('A'),
    ).toBe('kept')
  })

  test('of the data key under readers and writers: nothing is unreadable at any time, no new value is lost', async () => {
    const keys = createLocalKeys([randomBytes(32)])
    const [here, elsewhere] = [secretsBy(keys).of(tenantId), secretsBy(keys).of(tenantId)]
    for (let n = 0; n < 30; n++) await here.put(`S${n}`, `old ${n}`, 'Ann')
    let isOver = false
    const rotating = here.rotate().finally(() => {
      isOver = true
    })
    let reads = 0
    const reading = (async () => {
      while (!isOver) {
        for (let n = 10; n < 30; n++, reads++) expect(await elsewhere.get(`S${n}`)).toBe(`old ${n}`)
      }
    })()
    const writing = (async () => {
      for (let n = 0; n < 10; n++) await elsewhere.put(`S${n}`, `new ${n}`, 'Bob')
    })()
    await Promise.all([rotating, reading, writing])
    expect(reads).toBeGreaterThan(0)
    for (let n = 0; n < 30; n++) expect(await here.get(`S${n}`)).toBe(n < 10 ? `new ${n}` : `old ${n}`)
    expect(await store.db.collection('data_keys').countDocuments({ tenantId })).toBe(2)
  })

  test('that was broken off goes on where it was, with the key it had made', async () => {
    const keys = createLocalKeys([randomBytes(32)])
    const secrets = secretsBy(keys).of(tenantId)
    for (const name of ['A', 'B', 'C']) await secrets.put(name, `value of ${name}`, 'Ann')
    const untouched = await store.db.collection('secrets').findOne({ tenantId, name: 'C' })
    await secrets.rotate()
    const old = { envelope: untouched?.envelope, keyNumber: 1 }
    await store.db.collection('secrets').updateOne({ tenantId, name: 'C' }, { $set: old })
    await secrets.rotate()
    for (const name of ['A', 'B', 'C']) expect(await secrets.get(name)).toBe(`value of ${name}`)
    expect(await store.db.collection('secrets').countDocuments({ tenantId, keyNumber: 2 })).toBe(3)
    expect(await store.db.collection('data_keys').countDocuments({ tenantId })).toBe(2)
  })
})

test('a key management service is asked once per data key; while it is away what is known still reads', async () => {
  const kms = new FakeKms()
  const secrets = secretsBy(kms)
  await secrets.of(tenantId).put('A', 'in the vault', 'Ann')
  const { asked } = kms
  for (let n = 0; n < 10; n++) expect(await secrets.of(tenantId).get('A')).toBe('in the vault')
  expect(kms.asked).toBe(asked)
  kms.isUp = false
  expect(await secrets.of(tenantId).get('A')).toBe('in the vault')
  await expect(secretsBy(kms).of(tenantId).get('A')).rejects.toThrow('does not answer')
})

test('every query of the secrets has an index', async () => {
  expect(watch.seen).toBeGreaterThan(7)
  expect(await watch.scans(mongo.db, ['secrets', 'data_keys'])).toEqual([])
})
