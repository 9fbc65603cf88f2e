// Who moves credit besides the sessions: payments and refunds told by webhooks (late, twice, out of order, under two
// events), grants, fees, corrections. Each is told again until a gateway has said that it is done.

import type { TenantLedger } from '../../gateway/ledger/ledger.ts'
import { asTenantId } from '../../gateway/platform/ids.ts'
import { Problem } from '../../gateway/platform/problem.ts'
import type { Random } from '../chaos/random.ts'
import type { Gateway } from './gateway.ts'
import type { Oracle } from './oracle.ts'
import type { Scheduler } from './scheduler.ts'

export interface ActorOptions {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly oracle: Oracle
  readonly epochMs: number
  readonly zone: string
  /** A gateway that takes requests now. */
  readonly anyGateway: () => Gateway | undefined
  readonly breach: (message: string) => void
  readonly note: (line: string) => void
  /** Of the phase with faults, ms. */
  readonly untilMs: number
}

/** What is to be done once. `done` false: not yet possible, to be told again later. */
interface Deed {
  readonly name: string
  readonly tenantId: string
  readonly run: (ledger: TenantLedger) => Promise<boolean>
}

const credit = 1_000_000

/** A webhook whose answer does not come is sent again. */
const answerMs = 30_000

export class CreditActors {
  readonly #options: ActorOptions
  /** Deeds nobody has confirmed yet. */
  open = 0

  constructor(options: ActorOptions) {
    this.#options = options
  }

  start(tenantIds: readonly string[]): void {
    for (const tenantId of tenantIds) {
      this.#payments(tenantId)
      this.#grants(tenantId)
      this.#corrections(tenantId)
    }
  }

  #between(least: number, most: number): number {
    return this.#options.random.between(least, most)
  }

  #amount(least: number, most: number): number {
    // Not always a whole credit: sums must be exact to the micro-credit.
    return this.#between(least, most) * credit + (this.#options.random.next() < 0.3 ? this.#between(1, 999_999) : 0)
  }

  #sometime(): number {
    return this.#options.random.next() * this.#options.untilMs
  }

  #payments(tenantId: string): void {
    const { random } = this.#options
    const count = this.#between(1, 4)
    for (let i = 0; i < count; i++) {
      const paymentId = `pi_${i}`
      // Enough for several sessions, mostly; sometimes not for one.
      const amountMicro = random.next() < 0.25 ? this.#amount(2, 20) : this.#amount(20, 80)
      const firstMs = i === 0 ? this.#between(0, 2_000) : this.#sometime()
      const pay: Deed = {
        name: `pay ${i}`,
        tenantId,
        run: async (ledger) => {
          const answer = await ledger.addPurchasedCredits({ paymentId, amountMicro, note: 'a payment' })
          this.#booked(tenantId, answer.entry.id, { kind: 'purchase', amountMicro })
          return true
        },
      }
      this.#tell(pay, firstMs)
      // The second event about the same payment, and the same event again.
      while (random.next() < 0.5) this.#tell(pay, firstMs + this.#between(0, 20_000))
      if (random.next() < 0.4) this.#refund(tenantId, { i, amountMicro, firstMs })
    }
  }

  #refund(tenantId: string, paid: { i: number; amountMicro: number; firstMs: number }): void {
    const { random } = this.#options
    const { i, amountMicro, firstMs } = paid
    const parts = random.next() < 0.5 ? [amountMicro] : [Math.ceil(amountMicro / 3), Math.floor(amountMicro / 2)]
    for (const [part, refundMicro] of parts.entries()) {
      const refund: Deed = {
        name: `refund ${i}.${part}`,
        tenantId,
        run: async (ledger) => {
          const request = {
            grantId: `purchase:pi_${i}`,
            refundId: `re_${i}_${part}`,
            amountMicro: refundMicro,
            note: '',
          }
          const answer = await ledger.refund(request)
          if (answer.is === 'too_much') this.#options.breach(`L22: a refund of what was paid is too much`)
          if (answer.is !== 'refunded') return false
          this.#booked(tenantId, answer.entry.id, { kind: 'refund' })
          if (answer.owedMicro - answer.entry.amountMicro > refundMicro)
            this.#options.breach('L22: a refund took more than was refunded')
          return true
        },
      }
      // Before its payment, perhaps.
      const atMs = Math.max(0, firstMs + this.#between(-5_000, 60_000))
      this.#tell(refund, atMs)
      while (random.next() < 0.4) this.#tell(refund, atMs + this.#between(0, 10_000))
    }
  }

  #grants(tenantId: string): void {
    const { random, zone, epochMs, untilMs } = this.#options
    const days = random.next() < 0.7 ? this.#between(1, 5) : 0
    for (let i = 0; i < days; i++) {
      const amountMicro = this.#amount(1, 15)
      this.#tell(
        {
          name: 'daily',
          tenantId,
          run: async (ledger) => {
            const answer = await ledger.grantDailyCredits({ amountMicro, timeZone: zone, note: '' })
            this.#booked(tenantId, answer.grantId, { kind: 'grant' })
            return true
          },
        },
        this.#sometime(),
      )
    }
    if (random.next() > 0.6) return
    const amountMicro = this.#amount(5, 30)
    const periodEnd = new Date(epochMs + this.#between(20_000, Math.floor(untilMs * 1.2)))
    const monthly: Deed = {
      name: 'monthly',
      tenantId,
      run: async (ledger) => {
        const request = { periodId: 'period_1', periodEnd, amountMicro, note: '' }
        const answer = await ledger.grantMonthlyCredits(request)
        this.#booked(tenantId, answer.grantId, { kind: 'grant', amountMicro })
        return true
      },
    }
    const atMs = this.#between(0, 20_000)
    this.#tell(monthly, atMs)
    if (random.next() < 0.5) this.#tell(monthly, atMs + this.#between(0, 4_000))
  }

  #corrections(tenantId: string): void {
    const { random } = this.#options
    for (let i = 0; random.next() < 0.5 && i < 4; i++) {
      const amountMicro = this.#amount(1, 8)
      const sign = random.next() < 0.6 ? -1 : 1
      const kind = random.next()
      const run = async (ledger: TenantLedger): Promise<boolean> => {
        if (kind < 0.4) await ledger.adjust({ key: `adj:${i}`, amountMicro: sign * amountMicro, note: '' })
        else if (kind < 0.6) await ledger.debt({ key: `fee:${i}`, amountMicro, note: '' })
        else {
          const answer = await ledger.deductCredits({ key: `message:${i}`, amountMicro, note: '' })
          // A refusal leaves the key unused.
          if (answer.is !== 'deducted') return true
        }
        return true
      }
      const atMs = this.#sometime()
      this.#tell({ name: `correction ${i}`, tenantId, run }, atMs)
      while (random.next() < 0.4) this.#tell({ name: `correction ${i}`, tenantId, run }, atMs + this.#between(0, 8_000))
    }
  }

  #booked(tenantId: string, key: string, expected: { kind: string; amountMicro?: number }): void {
    const entry = this.#options.oracle.entry(tenantId, key)
    if (entry === undefined) {
      this.#options.breach(`L1: ${key} was said to be done and is not`)
      return
    }
    if (entry.kind !== expected.kind) this.#options.breach(`L3: ${key} is a ${String(entry.kind)}`)
    if (expected.amountMicro !== undefined && Number(entry.amountMicro) !== expected.amountMicro)
      this.#options.breach(`L2: ${key} is not what was paid`)
  }

  #tell(deed: Deed, atMs: number): void {
    this.open++
    this.#options.scheduler.at(atMs, () => this.#attempt(deed))
  }

  #attempt(deed: Deed): void {
    const { scheduler, anyGateway, breach, note } = this.#options
    const gateway = anyGateway()
    let answered = false
    const again = (): void => {
      if (answered) return
      answered = true
      scheduler.in(this.#between(1_000, 20_000), () => this.#attempt(deed))
    }
    if (gateway === undefined) {
      again()
      return
    }
    scheduler.in(answerMs, again)
    const run = (): Promise<void> =>
      deed.run(gateway.ledger.of(asTenantId(deed.tenantId))).then(
        (done) => {
          if (answered) return
          note(`${gateway.name} ${deed.name} ${done ? 'done' : 'later'}`)
          if (!done) return again()
          answered = true
          this.open--
        },
        (error: unknown) => {
          if (!(error instanceof Problem) && !(error instanceof Error && error.name.startsWith('Mongo'))) throw error
          if (error instanceof Problem && error.code !== 'unavailable')
            breach(`${deed.name}: ${error.code} ${error.message}`)
          again()
        },
      )
    scheduler.in(1, () => void run(), gateway.life)
  }
}
