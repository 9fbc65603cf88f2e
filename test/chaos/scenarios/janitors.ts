// Five janitor processes at once on stale sessions, with SIGKILL among them: one settlement per session.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Db } from 'mongodb'
import { createSeeder } from '../../../gateway/app.ts'
import { readConfig } from '../../../gateway/config.ts'
import { createLedger } from '../../../gateway/ledger/ledger.ts'
import { asTenantId } from '../../../gateway/platform/ids.ts'
import { openMongo } from '../../../gateway/platform/mongo.ts'
import { age } from '../../harness/age.ts'
import { leaveBehind, leftBehindMicro } from '../../harness/left-behind.ts'
import { type Random, seeded } from '../random.ts'
import type { Check, Report } from '../report.ts'
import { ChaosStore } from '../store.ts'
import type { WorldOptions } from '../world.ts'

const janitorCount = 5
const script = join(import.meta.dirname, '../../../scripts/janitor.ts')
const grantMicro = 10_000_000_000

export async function janitors(options: WorldOptions): Promise<Report> {
  const count = options.count ?? 200
  const dir = await mkdtemp(join(tmpdir(), 'parley-janitors-'))
  const store = await ChaosStore.start(join(dir, 'store'))
  const mongo = await openMongo(store.mongoUri, 'parley', { timeoutMs: 10_000 })
  try {
    const env = { ...store.env, PARLEY_DATA_DIR: join(dir, 'janitor'), LOG_LEVEL: 'warn' }
    await using seeder = await createSeeder(readConfig({ ...env, LOG_LEVEL: 'silent' }))
    await seeder.run()
    const tenant = await mongo.db.collection<{ _id: string }>('tenants').findOne({ slug: 'productco' })
    const tenantId = asTenantId(tenant?._id ?? '')
    for (let i = 0; i < count; i++) await leaveBehind(mongo.db, tenantId, i)
    await age(mongo.db, tenantId)
    options.say(`${count} sessions left behind`)
    const random = seeded(options.seed)
    const runs = await Promise.all(
      Array.from({ length: janitorCount }, (_, i) => runToTheEnd(env, random.fork(`j${i}`))),
    )
    const checks = await checksAt(mongo.db, tenantId, count)
    return {
      findings: [],
      facts: [
        ['janitors', `${janitorCount}, killed ${runs.reduce((sum, run) => sum + run.kills, 0)} times`],
        ['said', runs.map((run) => run.said).join(' | ')],
      ],
      checks: [
        ...checks,
        {
          name: 'janitors that ended with 0',
          value: String(runs.filter(({ code }) => code === 0).length),
          ok: runs.every(({ code }) => code === 0),
        },
      ],
    }
  } finally {
    await mongo.close()
    await store[Symbol.asyncDispose]()
    await rm(dir, { recursive: true, force: true })
  }
}

async function checksAt(db: Db, tenantId: ReturnType<typeof asTenantId>, count: number): Promise<Check[]> {
  const exactly = (name: string, value: number, wanted: number): Check => ({
    name: `${name} (exactly ${wanted})`,
    value: String(value),
    ok: value === wanted,
  })
  const { postedMicro, heldMicro } = await createLedger({ db }).of(tenantId).credits()
  const sessions = { tenantId, state: 'ended', endReason: 'janitor' }
  const entries = db.collection<{ sessionId: string }>('credit_entries')
  const settled = await entries.find({ tenantId, kind: 'settle' }).toArray()
  return [
    exactly('settlements', settled.length, count),
    exactly('sessions settled', new Set(settled.map((entry) => entry.sessionId)).size, count),
    exactly('sessions closed', await db.collection('sessions').countDocuments(sessions), count),
    exactly('receipts', await db.collection('credit_receipts').countDocuments({ tenantId }), count),
    exactly('posted', postedMicro, grantMicro - count * leftBehindMicro),
    exactly('held', heldMicro, 0),
  ]
}

interface Run {
  readonly kills: number
  readonly code: number | null
  readonly said: string
}

/** Two times killed at a random point of its work, then left alone. */
async function runToTheEnd(env: Readonly<Record<string, string>>, random: Random): Promise<Run> {
  for (let kills = 0; ; kills++) {
    const child = spawn(process.execPath, [script], { env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
    // It needs about 0.7 s until it works, longer among others.
    const timer = kills < 2 ? setTimeout(() => child.kill('SIGKILL'), random.between(700, 3_500)) : undefined
    await once(child, 'close')
    clearTimeout(timer)
    if (child.signalCode !== 'SIGKILL')
      return { kills, code: child.exitCode, said: said.trim().replace(/^janitor: /, '') }
  }
}
