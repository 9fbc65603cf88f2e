// Five janitor processes at once on stale sessions, with SIGKILL among them: one settlement per session.

import { type ChildProcess, spawn } from 'node:child_process'
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
const killsMost = 10
/** Fewer sessions leave less time to kill in. */
const sessionsPerKill = 5
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
    const runs = await runAll({ db: mongo.db, tenantId, count, env, random: seeded(options.seed) })
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
  kills: number
  code: number | null
  said: string
}

interface Work {
  readonly db: Db
  readonly tenantId: string
  readonly count: number
  readonly env: Readonly<Record<string, string>>
  readonly random: Random
}

/** Each runs until it ends by itself; at random points of their common work one of them is killed, and begins anew. */
async function runAll(work: Work): Promise<Run[]> {
  const { count, env, random } = work
  const running: (ChildProcess | undefined)[] = []
  const runs = Array.from({ length: janitorCount }, async (_, i): Promise<Run> => {
    for (let kills = 0; ; kills++) {
      const child = spawn(process.execPath, [script], { env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
      running[i] = child
      let said = ''
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
      await once(child, 'close')
      running[i] = undefined
      if (child.signalCode !== 'SIGKILL')
        return { kills, code: child.exitCode, said: said.trim().replace(/^janitor: /, '') }
    }
  })
  const kills = Math.min(killsMost, Math.ceil(count / sessionsPerKill))
  const points = Array.from({ length: kills }, () => random.between(1, count * 2 - 1)).toSorted((a, b) => a - b)
  let over = false
  const killing = (async () => {
    for (const point of points) {
      while (!over && (await progressOf(work)) < point) await new Promise((resolve) => setTimeout(resolve, 20))
      const victims = running.filter((child) => child !== undefined)
      victims[Math.floor(random.next() * victims.length)]?.kill('SIGKILL')
    }
  })()
  const done = await Promise.all(runs)
  over = true
  await killing
  return done
}

/** Holds settled and sessions closed. */
async function progressOf({ db, tenantId, count }: Work): Promise<number> {
  const accounts = db.collection<{ _id: string; holds: Record<string, unknown> }>('credit_accounts')
  const [account, ended] = await Promise.all([
    accounts.findOne({ _id: tenantId }),
    db.collection('sessions').countDocuments({ tenantId, state: 'ended' }),
  ])
  return count - Object.keys(account?.holds ?? {}).length + ended
}
