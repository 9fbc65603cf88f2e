// Random sequences of operations from two processes, with lost replies and flushes, beside a model of three lines of
// arithmetic. After each sequence the entries alone must give the balances.

import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { asTenantId, newId, type TenantId } from '../platform/ids.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import { Problem } from '../platform/problem.ts'
import type { ReceiptLine } from '../protocol/rest.ts'
import { createLedger, type Ledger, ledgerCollections, type TenantLedger } from './ledger.ts'
import { lossyDb } from './lossy-db.test-support.ts'

let store: TestStore
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, ledgerCollections)
})
afterAll(() => store[Symbol.asyncDispose]())

interface ModelHold {
  amount: number
  epoch: number
  used: number
  extensions: number
}
interface Model {
  posted: number
  posts: Map<string, number>
  holds: Map<string, ModelHold>
  settled: Map<string, number>
}
interface Real {
  readonly tenantId: TenantId
  readonly ledgers: readonly Ledger[]
  readonly mine: (process: number) => TenantLedger
}
type Command = fc.AsyncCommand<Model, Real>

const held = (model: Model) => [...model.holds.values()].reduce((sum, hold) => sum + hold.amount, 0)
const line = (amountMicro: number): ReceiptLine[] => [
  { meter: 'session.seconds', quantity: amountMicro, unit: 'second', priceMicroPerMillion: 1_000_000, amountMicro },
]
const conflict = (error: unknown) => {
  if (error instanceof Problem && error.code === 'conflict') return 'conflict' as const
  throw error
}

function command(name: string, run: (model: Model, real: Real) => Promise<void>): Command {
  return { check: () => true, run, toString: () => name }
}

const process = fc.nat(1)
const holdId = fc.constantFrom('hold_a', 'hold_b', 'hold_c')
const amount = fc.nat(60)

const commands = [
  fc.tuple(process, fc.constantFrom('k1', 'k2', 'k3', 'k4'), fc.integer({ min: -80, max: 150 })).map(([p, key, n]) =>
    command(`post(${key}, ${n})`, async (model, real) => {
      const answer = await real.mine(p).post({ key, kind: 'adjust', amountMicro: n, note: '' }).catch(conflict)
      const before = model.posts.get(key)
      if (before !== undefined) {
        expect(answer === 'conflict').toBe(before !== n)
        return
      }
      const moved = n < 0 ? 0 - Math.min(-n, model.posted - held(model)) : n
      expect(answer).toMatchObject({ amountMicro: moved, balanceMicro: model.posted + moved })
      model.posts.set(key, n)
      model.posted += moved
    }),
  ),
  fc.tuple(process, holdId, amount).map(([p, id, n]) =>
    command(`hold(${id}, ${n})`, async (model, real) => {
      const request = { holdId: id, sessionId: `sess_${id}`, amountMicro: n, owner: 'node_1' }
      const answer = await real.mine(p).hold(request).catch(conflict)
      if (model.holds.has(id) || model.settled.has(id)) return
      const short = n - (model.posted - held(model))
      if (short > 0) {
        expect(answer).toEqual({ is: 'out_of_credit', shortfallMicro: short })
        return
      }
      expect(answer).toEqual({ is: 'held', epoch: 1, amountMicro: n })
      model.holds.set(id, { amount: n, epoch: 1, used: 0, extensions: 0 })
    }),
  ),
  fc.tuple(process, holdId, amount, fc.boolean()).map(([p, id, n, again]) =>
    command(`extend(${id}, ${n}${again ? ', again' : ''})`, async (model, real) => {
      const hold = model.holds.get(id)
      const turn = again && hold !== undefined && hold.extensions > 0 ? hold.extensions : (hold?.extensions ?? 0) + 1
      const request = { holdId: id, n: turn, addMicro: n, epoch: hold?.epoch ?? 1 }
      const answer = await real.mine(p).extend(request)
      if (hold === undefined) return expect(answer).toEqual({ is: 'gone' })
      if (turn > hold.extensions) {
        const short = n - (model.posted - held(model))
        if (short > 0) return expect(answer).toEqual({ is: 'out_of_credit', shortfallMicro: short })
        hold.extensions = turn
        hold.amount += n
      }
      expect(answer).toEqual({ is: 'held', amountMicro: hold.amount })
    }),
  ),
  fc.tuple(process, holdId, amount, fc.boolean()).map(([p, id, used, old]) =>
    command(`checkpoint(${id}, ${used}${old ? ', old epoch' : ''})`, async (model, real) => {
      const hold = model.holds.get(id)
      const epoch = hold === undefined ? 1 : old && hold.epoch > 1 ? hold.epoch - 1 : hold.epoch
      // The reply of a checkpoint may be lost: its owner just makes the next one.
      const write = () => real.mine(p).checkpoint({ holdId: id, epoch, lines: line(used), costUsdMicro: 0 })
      const answer = await write().catch(write)
      if (hold === undefined) return expect(answer).toBe('gone')
      expect(answer).toBe(epoch === hold.epoch ? 'applied' : 'fenced')
      if (epoch === hold.epoch) hold.used = Math.max(hold.used, used)
    }),
  ),
  fc.tuple(process, holdId).map(([p, id]) =>
    command(`takeOver(${id})`, async (model, real) => {
      const hold = model.holds.get(id)
      const move = () =>
        real.mine(p).takeOver({ holdId: id, fromEpoch: hold?.epoch ?? 1, owner: `node_${p}_${hold?.epoch}` })
      const answer = await move().catch(move)
      if (hold === undefined) return expect(answer).toEqual({ is: 'lost' })
      hold.epoch += 1
      expect(answer).toEqual({ is: 'owned', epoch: hold.epoch })
    }),
  ),
  fc.tuple(process, holdId, amount, fc.constantFrom('owner', 'old', 'janitor')).map(([p, id, used, who]) =>
    command(`settle(${id}, ${used}, ${who})`, async (model, real) => {
      const hold = model.holds.get(id)
      const [stale] =
        who === 'janitor'
          ? (await real.ledgers[p]!.stale({ olderThanMs: 0, limit: 100_000 })).filter(
              (each) => each.tenantId === real.tenantId && each.holdId === id,
            )
          : []
      const by = stale === undefined ? { epoch: (hold?.epoch ?? 1) - (who === 'old' ? 1 : 0) } : { seen: stale.seen }
      const answer = await real.mine(p).settle({ holdId: id, lines: line(used), costUsdMicro: 0, note: '', by })
      const before = model.settled.get(id)
      if (before !== undefined) return expect(answer).toMatchObject({ is: 'already', receipt: { totalMicro: before } })
      if (hold === undefined || who === 'old') return expect(answer).toEqual({ is: 'fenced' })
      const total = Math.min(Math.max(used, hold.used), hold.amount)
      const waivedMicro = Math.max(used, hold.used) - total
      expect(answer).toMatchObject({ receipt: { totalMicro: total, waivedMicro } })
      model.holds.delete(id)
      model.settled.set(id, total)
      model.posted -= total
    }),
  ),
  process.map((p) =>
    command('flush', async (_model, real) => {
      await real.ledgers[p]!.flush().catch(() => undefined)
    }),
  ),
]

test('[L1][L4][L15] after any sequence of operations the entries replay to the balances, and nothing was negative', async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { size: 'medium', maxCommands: 15 }), fc.nat(4), async (sequence, shaky) => {
      const tenantId = asTenantId(newId('ten'))
      let writes = 0
      const lossy = createLedger({ db: lossyDb(store.db, () => shaky > 0 && ++writes % (shaky + 1) === 0) })
      const ledgers = [createLedger({ db: store.db }), lossy]
      const setup = async () => {
        const model: Model = { posted: 0, posts: new Map(), holds: new Map(), settled: new Map() }
        return { model, real: { tenantId, ledgers, mine: (p: number) => ledgers[p]!.of(tenantId) } }
      }
      let last: Model | undefined
      await fc.asyncModelRun(async () => {
        const start = await setup()
        last = start.model
        return start
      }, sequence)
      const { items } = await ledgers[0]!.of(tenantId).entries({ limit: 200 })
      const credits = await ledgers[0]!.of(tenantId).credits()
      expect(items.reduce((sum, entry) => sum + entry.amountMicro, 0)).toBe(credits.postedMicro)
      expect(credits.postedMicro).toBe(last?.posted)
      expect(credits.heldMicro).toBe(last === undefined ? -1 : held(last))
      expect(credits.availableMicro).toBeGreaterThanOrEqual(0)
      // Holds left open would make every later janitor's scan longer.
      for (const hold of credits.holds) {
        const epoch = last?.holds.get(hold.id)?.epoch ?? 0
        await ledgers[0]!
          .of(tenantId)
          .settle({ holdId: hold.id, lines: [], costUsdMicro: null, note: '', by: { epoch } })
      }
    }),
    { numRuns: 300, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: true },
  )
  const [ledger] = [createLedger({ db: store.db })]
  expect(await ledger.reconcile()).toEqual([])
  await ledger.flush()
  expect(await ledger.reconcile()).toEqual([])
}, 90_000)
