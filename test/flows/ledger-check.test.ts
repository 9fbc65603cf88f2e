// `npm run ledger:check` as an operator runs it: a process of its own on the data folder.

import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openEmbeddedMongo } from '../../gateway/embedded/embedded.ts'
import { createLedger } from '../../gateway/ledger/ledger.ts'
import { asTenantId } from '../../gateway/platform/ids.ts'
import { openMongo } from '../../gateway/platform/mongo.ts'

const root = join(import.meta.dirname, '../..')
const tenantId = asTenantId('ten_checked')
let dataDir: string
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'parley-check-'))
})
afterAll(() => rm(dataDir, { recursive: true, force: true }))

async function withStore(work: (mongo: Awaited<ReturnType<typeof openMongo>>) => Promise<unknown>): Promise<void> {
  const embedded = await openEmbeddedMongo(join(dataDir, 'mongo'))
  const mongo = await openMongo(embedded.uri, 'parley', { timeoutMs: 10_000 })
  await work(mongo)
  await mongo.close()
  await embedded.close()
}

function check(): { status: number | null; lines: string[] } {
  const env = { PARLEY_DATA_DIR: dataDir, LOG_LEVEL: 'silent' }
  const run = spawnSync(process.execPath, ['scripts/ledger-check.ts'], { cwd: root, env, encoding: 'utf8' })
  return { status: run.status, lines: run.stdout.split('\n').filter((line) => line !== '') }
}

test('entries that agree are exit 0; a changed balance is exit 1 and a line per finding; repaired, it is 0 again', async () => {
  await withStore(async ({ db }) => {
    const ledger = createLedger({ db }).of(tenantId)
    await ledger.addPurchasedCredits({ paymentId: 'pi_1', amountMicro: 10, note: '' })
    await ledger.hold({ holdId: 'hold_1', sessionId: 'sess_1', amountMicro: 4, owner: 'node_1' })
  })
  expect(check()).toEqual({ status: 0, lines: [] })
  const accounts = 'credit_accounts'
  await withStore(({ db }) =>
    db.collection<{ _id: string }>(accounts).updateOne({ _id: tenantId }, { $inc: { posted: 5 } }),
  )
  expect(check()).toEqual({ status: 1, lines: ['ten_checked: entries give posted 10, the account has 15'] })
  await withStore(async ({ db }) => {
    await expect(
      createLedger({ db }).of(tenantId).deductCredits({ key: 'k', amountMicro: 1, note: '' }),
    ).rejects.toMatchObject({ code: 'unavailable' })
    await db.collection<{ _id: string }>(accounts).updateOne({ _id: tenantId }, { $inc: { posted: -5 } })
  })
  expect(check()).toEqual({ status: 0, lines: [] })
  await withStore(async ({ db }) => {
    expect(await createLedger({ db }).of(tenantId).credits()).toMatchObject({ breached: false, availableMicro: 6 })
  })
}, 60_000)
