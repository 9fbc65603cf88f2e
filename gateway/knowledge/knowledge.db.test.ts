import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { knowledgeIn } from '../../test/harness/knowledge.ts'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { asTenantId } from '../platform/ids.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import { knowledgeCollections } from './knowledge.ts'

let store: TestStore
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, knowledgeCollections)
})
afterAll(() => store[Symbol.asyncDispose]())

let count = 0
const freshTenant = () => asTenantId(`ten_${String(count++)}`)
const faq = (key: string, title: string, text: string) => ({ key, kind: 'faq', title, text })
const house = [
  faq('1', 'When is check-in?', 'Check-in is from 15:00.'),
  faq('2', 'Do you allow pets?', 'Dogs and cats are welcome for 15 dollars.'),
  faq('3', 'How can I cancel a booking?', 'Bookings can be cancelled until 18:00.'),
]

test('questions in other words find the right paper first', async () => {
  const knowledge = knowledgeIn(store.db)
  const tenant = freshTenant()
  await knowledge.of(tenant).put(house)
  const best = async (text: string) => (await knowledge.search(tenant, text, 3))[0]?.title
  expect(await best('may I bring my dog')).toBe('Do you allow pets?')
  expect(await best("what's the check in time")).toBe('When is check-in?')
  expect(await best('canceling my bookings')).toBe('How can I cancel a booking?')
  expect(await knowledge.search(tenant, 'quantum chromodynamics', 3)).toEqual([])
  expect(await knowledge.search(tenant, 'what is the', 3)).toEqual([])
  expect(await knowledge.search(tenant, 'check-in booking pets', 1)).toHaveLength(1)
})

test('a change by one process is seen by the next search of another', async () => {
  const [one, two] = [knowledgeIn(store.db), knowledgeIn(store.db)]
  const tenant = freshTenant()
  await one.of(tenant).put(house)
  expect(await two.search(tenant, 'pool', 3)).toEqual([])
  await one.of(tenant).put([faq('4', 'Is there a pool?', 'A heated pool.')])
  expect((await two.search(tenant, 'pool', 3))[0]?.title).toBe('Is there a pool?')
  await one.of(tenant).remove(['4'])
  expect(await two.search(tenant, 'pool', 3)).toEqual([])
})

test('putting the same twice changes nothing', async () => {
  const knowledge = knowledgeIn(store.db)
  const tenant = freshTenant()
  await knowledge.of(tenant).put(house)
  const all = async () => [
    await store.db.collection('knowledge_documents').find({ tenantId: tenant }).sort({ key: 1 }).toArray(),
    await store.db.collection('knowledge_versions').find({ tenantId: tenant }).toArray(),
  ]
  const before = await all()
  await knowledge.of(tenant).put(house)
  expect(await all()).toEqual(before)
})

test('[TEN-13] a search of one tenant never returns another’s canary', async () => {
  const knowledge = knowledgeIn(store.db)
  const [a, b] = [freshTenant(), freshTenant()]
  await knowledge.of(a).put(house)
  await knowledge.of(b).put([faq('1', 'Canary pets check-in booking', 'CANARY-7f3a dogs cancel 15:00')])
  const word = fc.constantFrom(
    'canary',
    'pets',
    'check-in',
    'booking',
    'dogs',
    'cancel',
    '7f3a',
    'CANARY-7f3a',
    '15:00',
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(word, fc.string()), { maxLength: 6 }), async (words) => {
      expect(JSON.stringify(await knowledge.search(a, words.join(' '), 10))).not.toMatch(/canary/i)
    }),
    { numRuns: 500 },
  )
  expect(await knowledge.search(b, 'canary', 10)).toHaveLength(1)
})

test('a text too long to be read out is refused', async () => {
  const tenant = knowledgeIn(store.db).of(freshTenant())
  await expect(tenant.put([faq('1', 'Long', 'x'.repeat(20_001))])).rejects.toMatchObject({ code: 'too_large' })
  expect(await tenant.all()).toEqual([])
})

test('200 searches at once of a tenant not searched before all get their answer', async () => {
  const knowledge = knowledgeIn(store.db)
  const tenant = freshTenant()
  await knowledge.of(tenant).put(house)
  const found = await Promise.all(Array.from({ length: 200 }, () => knowledge.search(tenant, 'pets', 1)))
  expect(found.every((each) => each[0]?.title === 'Do you allow pets?')).toBe(true)
})
