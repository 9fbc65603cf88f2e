// Every command the ledger sends, as the driver sends it: names the tenant, and runs on an index.

import { type CommandStartedEvent, type Document, MongoClient } from 'mongodb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { asTenantId } from '../platform/ids.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import { createLedger, ledgerCollections } from './ledger.ts'

let store: TestStore
let client: MongoClient
const sent: { name: string; command: Document }[] = []
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, ledgerCollections)
  client = new MongoClient(store.uri, { monitorCommands: true })
  client.on('commandStarted', ({ commandName, command }: CommandStartedEvent) =>
    sent.push({ name: commandName, command }),
  )
})
afterAll(async () => {
  await client.close()
  await store[Symbol.asyncDispose]()
})

/** The filters of a command, each with what sorts it. */
function filtersOf({ name, command }: { name: string; command: Document }): { filter: Document; sort?: Document }[] {
  if (name === 'find') return [{ filter: command.filter, sort: command.sort }]
  if (name === 'aggregate') return [{ filter: command.pipeline[0].$match }]
  if (name === 'findAndModify') return [{ filter: command.query }]
  if (name === 'update') return command.updates.map((update: Document) => ({ filter: update.q }))
  return []
}

async function everything(): Promise<void> {
  const ledger = createLedger({ db: client.db(store.database) })
  const mine = ledger.of(asTenantId('ten_queries'))
  await mine.post({ key: 'k', kind: 'grant', amountMicro: 1_000, note: '' })
  await mine.hold({ holdId: 'hold_a', sessionId: 'sess_a', amountMicro: 10, owner: 'node_1' })
  await mine.hold({ holdId: 'hold_b', sessionId: 'sess_b', amountMicro: 10, owner: 'node_1' })
  await mine.extend({ holdId: 'hold_a', n: 1, addMicro: 10, epoch: 1 })
  await mine.checkpoint({ holdId: 'hold_a', epoch: 1, lines: [], costUsdMicro: 1 })
  await mine.checkpoint({ holdId: 'hold_a', epoch: 9, lines: [], costUsdMicro: 1 })
  await mine.takeOver({ holdId: 'hold_a', fromEpoch: 1, owner: 'node_2' })
  await mine.settle({ holdId: 'hold_a', lines: [], costUsdMicro: 1, note: '', by: { epoch: 2 } })
  await mine.grantDailyCredits({ amountMicro: 5, timeZone: 'UTC', note: '' })
  await mine.deductCredits({ key: 'turn_1', amountMicro: 3, note: '' })
  await mine.refund({ grantId: 'k', refundId: 're_1', amountMicro: 4, note: '' })
  await mine.debt({ key: 'fee', amountMicro: 2, note: '' })
  await mine.check(3)
  await mine.getCreditBalance()
  await ledger.nightly()
  await ledger.nightly()
  await ledger.flush()
  await mine.settle({ holdId: 'hold_a', lines: [], costUsdMicro: 1, note: '', by: { epoch: 2 } })
  await mine.credits()
  await mine.entries({ limit: 5 })
  await mine.receipt('sess_a')
  await ledger.stale({ olderThanMs: 0, limit: 5 })
  await client
    .db(store.database)
    .collection('credit_accounts')
    .updateMany({ tenantId: 'ten_queries' }, { $inc: { posted: 1 } })
  await ledger.reconcile()
}

test('[L17] every filter names the tenant, except the walks over all of them, and every query runs on an index', async () => {
  await everything()
  const queries = sent.flatMap((each) => filtersOf(each).map((query) => ({ ...query, ...each })))
  const names = new Set(queries.map(({ name, command }) => `${name} ${command[name]}`))
  expect(names.size).toBeGreaterThanOrEqual(6)
  let walks = 0
  for (const { name, command, filter, sort } of queries) {
    if ('$inc' in (command.updates?.[0]?.u ?? {}) && command.updates[0].multi) continue
    if (command.comment === 'all-tenants') walks++
    else expect([name, filter]).toEqual([name, expect.objectContaining({ tenantId: 'ten_queries' })])
    const cursor = store.db.collection(command[name]).find(filter)
    const plan = JSON.stringify(await (sort === undefined ? cursor : cursor.sort(sort)).explain('queryPlanner'))
    expect(plan).toMatch(/IXSCAN|IDHACK|EXPRESS/)
    expect(plan).not.toContain('COLLSCAN')
    expect(plan).not.toMatch(/"stage":"SORT"/)
  }
  expect(walks).toBe(7)
})

test('[L17] the check above sees a query without an index', async () => {
  const plan = JSON.stringify(await store.db.collection('credit_entries').find({ note: 'x' }).explain('queryPlanner'))
  expect(plan).toContain('COLLSCAN')
})

test('[L14] nothing updates or deletes entries and receipts', () => {
  const writes = sent.filter(({ name }) => ['update', 'delete', 'findAndModify'].includes(name))
  expect(writes.length).toBeGreaterThan(5)
  expect(new Set(writes.map(({ name, command }) => command[name]))).toEqual(
    new Set(['credit_accounts', 'credit_audits']),
  )
})
