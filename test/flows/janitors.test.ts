import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createSeeder } from '../../gateway/app.ts'
import { readConfig } from '../../gateway/config.ts'
import { openEmbeddedMongo } from '../../gateway/embedded/embedded.ts'
import { createLedger } from '../../gateway/ledger/ledger.ts'
import { asTenantId } from '../../gateway/platform/ids.ts'
import { openMongo } from '../../gateway/platform/mongo.ts'
import { age } from '../harness/age.ts'
import { leaveBehind, leftBehindMicro } from '../harness/left-behind.ts'
import { runJanitor } from '../harness/spawn-gateway.ts'

const count = 100

test(`[S15] two janitor processes at once on ${count} stale sessions make ${count} settlements, not one more`, async () => {
  const dir = await mkdtemp(join(tmpdir(), 'parley-janitors-'))
  const env = { PARLEY_DATA_DIR: dir }
  const store = await openEmbeddedMongo(join(dir, 'mongo'))
  const mongo = await openMongo(store.uri, 'parley', { timeoutMs: 10_000 })
  try {
    await using seeder = await createSeeder(readConfig({ ...env, LOG_LEVEL: 'silent' }))
    await seeder.run()
    const tenant = await mongo.db.collection<{ _id: string }>('tenants').findOne({ slug: 'productco' })
    const tenantId = asTenantId(tenant?._id ?? '')
    for (let i = 0; i < count; i++) await leaveBehind(mongo.db, tenantId, i)
    await age(mongo.db, tenantId)
    const reports = await Promise.all([runJanitor(env), runJanitor(env)])
    const numbers = reports.map(({ code, output }) => {
      expect(code, output).toBe(0)
      return /(\d+) closed, (\d+) settled, 0 failed/.exec(output)?.slice(1).map(Number) ?? []
    })
    expect(numbers.reduce((sum, [closed = 0]) => sum + closed, 0)).toBe(count)
    expect(numbers.reduce((sum, [, settled = 0]) => sum + settled, 0)).toBe(count)
    const ledger = createLedger({ db: mongo.db }).of(tenantId)
    expect(await ledger.credits()).toMatchObject({
      postedMicro: 10_000_000_000 - count * leftBehindMicro,
      heldMicro: 0,
    })
    expect(await mongo.db.collection('credit_entries').countDocuments({ tenantId, kind: 'settle' })).toBe(count)
    expect(
      await mongo.db.collection('sessions').countDocuments({ tenantId, state: 'ended', endReason: 'janitor' }),
    ).toBe(count)
  } finally {
    await mongo.close()
    await store.close()
    await rm(dir, { recursive: true, force: true })
  }
})
