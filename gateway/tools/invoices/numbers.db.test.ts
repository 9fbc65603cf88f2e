import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestStore, type TestStore } from '../../../test/harness/store.ts'
import { asTenantId } from '../../platform/ids.ts'
import { ensureIndexes } from '../../platform/mongo.ts'
import { createNumbers, seriesStore, type Written } from './numbers.ts'

let store: TestStore
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, [seriesStore.spec])
})
afterAll(() => store[Symbol.asyncDispose]())

let count = 0
/** Documents by their number, as a store with a unique index keeps them. */
function place() {
  const tenantId = asTenantId(`ten_n${String(count++)}`)
  const numbers = createNumbers(store.db)
  const written = new Map<number, string>()
  const write =
    (key: string) =>
    async (number: number): Promise<Written<number>> => {
      await new Promise(setImmediate)
      if (written.has(number)) return { is: 'taken' }
      written.set(number, key)
      return { is: 'written', value: number }
    }
  const next = (key: string, by = write(key)) => numbers.next(tenantId, 'invoice', by)
  return { written, write, next }
}
const range = (n: number) => Array.from({ length: n }, (_, i) => i + 1)

test('[S000-24] fifty at once get fifty numbers without a gap', async () => {
  const { next, written } = place()
  const given = await Promise.all(range(50).map((i) => next(`k${i}`)))
  expect(given.toSorted((a, b) => a - b)).toEqual(range(50))
  expect([...written.keys()].toSorted((a, b) => a - b)).toEqual(range(50))
})

test('[S000-24] who dies with a number leaves no gap, whether its document was written or not', async () => {
  const { next, written, write } = place()
  const never = new Promise<never>(() => undefined)
  await next('first')
  void next('dead-before', () => never)
  expect(await next('second')).toBe(2)
  const isWritten = Promise.withResolvers<void>()
  void next('dead-after', async (number) => {
    await write('dead-after')(number)
    isWritten.resolve()
    return never
  })
  await isWritten.promise
  expect(await next('third')).toBe(4)
  expect([...written.entries()].map(([n, key]) => `${n} ${key}`)).toEqual([
    '1 first',
    '2 second',
    '3 dead-after',
    '4 third',
  ])
})

test('what refuses to be written, or was written before, leaves its number to the next one', async () => {
  const { next, written } = place()
  await expect(next('bad', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await next('again', async () => ({ is: 'before', value: 7 }))).toBe(7)
  expect(await next('good')).toBe(1)
  expect([...written.keys()]).toEqual([1])
})
