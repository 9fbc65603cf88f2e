// Credit and the agent's day set aside before a message is answered, charged or given back after. Rules U16–U18.

import type { Meters } from '../engines/engines.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Clock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import type { Log } from '../platform/log.ts'
import type { ReceiptLine } from '../protocol/rest.ts'
import type { Channel } from '../protocol/turn.ts'
import { type AgentDayAnswer, type AgentDayAsk, dayOf } from './agent-day.ts'
import { billOf, pieceLine } from './bill.ts'
import { type Action, meterOf } from './charge.ts'
import type { DailyStore } from './daily-store.ts'
import type { DayOpenStore } from './day-open-store.ts'
import type { PriceStore } from './price-store.ts'

export interface ReserveAsk extends AgentDayAsk {
  /** Of one attempt, reused by its retries. */
  readonly holdId: string
  /** What it is for: its receipt is found by this. */
  readonly pieceId: string
  readonly owner: string
  readonly action: Action
}

/** As stored by whoever reserved: enough to charge it or give it back in another process. */
export interface Reservation {
  readonly holdId: string
  readonly epoch: number
  /** UTC day whose cap it counts in; null: the agent has none. */
  readonly day: string | null
  readonly amountMicro: number
}

export type ReserveAnswer =
  | { readonly is: 'reserved'; readonly reservation: Reservation }
  | { readonly is: 'out_of_credit'; readonly shortfallMicro: number }
  /** The ledger keeps no more holds of this tenant. */
  | { readonly is: 'too_many' }
  | Extract<AgentDayAnswer, { readonly is: 'refused' }>

export interface Metered {
  readonly engine: string
  readonly model: string
  readonly meters: Meters
}

export interface PieceCharge {
  readonly tenantId: TenantId
  readonly agentId: string
  readonly channel: Channel
  readonly reservation: Reservation
  /** All that was done; what goes beyond the reservation is waived. */
  readonly actions: readonly Action[]
  /** What the providers metered, each by its row; undefined: unknown. */
  readonly used: readonly Metered[] | undefined
  readonly note: string
}

export interface PieceCharged {
  readonly amountMicro: number
  /** Null: unknown. */
  readonly costUsdMicro: number | null
}

export interface Reserves {
  /** The day first, then a hold of the action's price; a refusal leaves nothing behind. The same hold id twice: one reservation. */
  reserve(ask: ReserveAsk): Promise<ReserveAnswer>
  /** More for further actions, the `n`th time from 1. False: there is no credit for it, or it is over. */
  reserveMore(
    of: { readonly tenantId: TenantId; readonly reservation: Reservation },
    more: { readonly n: number; readonly amountMicro: number },
  ): Promise<boolean>
  /** What these cost now, micro-credits. */
  priceOf(actions: readonly Action[]): Promise<number>
  /**
   * Says that it is still wanted: the janitor of sessions settles holds that nobody speaks for. False: it is gone. Never throws.
   */
  keepReserved(of: { readonly tenantId: TenantId; readonly reservation: Reservation }): Promise<boolean>
  /** Once per reservation, by any number of processes. */
  chargeReserved(charge: PieceCharge): Promise<PieceCharged>
  /** Safe to call twice. */
  giveBack(of: {
    readonly tenantId: TenantId
    readonly agentId: string
    readonly reservation: Reservation
  }): Promise<void>
}

export interface ReserveDeps {
  readonly ledger: Ledger
  readonly prices: PriceStore
  readonly daily: DailyStore
  readonly dayOpen: DayOpenStore
  readonly clock: Clock
  readonly log: Log
}

export function createReserves(deps: ReserveDeps): Reserves {
  const { ledger, dayOpen, log } = deps
  return {
    reserve: (ask) => reserve(deps, ask),
    async reserveMore({ tenantId, reservation }, { n, amountMicro }) {
      const { holdId, epoch } = reservation
      return (await ledger.of(tenantId).extend({ holdId, epoch, n, addMicro: amountMicro })).is === 'held'
    },
    priceOf: async (actions) => (await linesOf(deps, actions)).reduce((sum, line) => sum + line.amountMicro, 0),
    async keepReserved({ tenantId, reservation: { holdId, epoch } }) {
      try {
        return (await ledger.of(tenantId).checkpoint({ holdId, epoch, lines: [], costUsdMicro: 0 })) === 'applied'
      } catch (error) {
        log.warn({ err: error, tenantId, holdId }, 'a reservation was not renewed')
        return true
      }
    },
    chargeReserved: (charge) => chargeReserved(deps, charge),
    async giveBack({ tenantId, agentId, reservation }) {
      const { holdId, epoch, day } = reservation
      await ledger.of(tenantId).settle({ holdId, by: { epoch }, lines: [], costUsdMicro: 0, note: 'given back' })
      if (day !== null) await dayOpen.close({ tenantId, agentId, day }, holdId)
    },
  }
}

async function reserve(deps: ReserveDeps, ask: ReserveAsk): Promise<ReserveAnswer> {
  const { tenantId, agentId, holdId } = ask
  const { dailyMessages = null, dailyCreditsMicro = null } = ask.agentLimits ?? {}
  const hasCap = dailyMessages !== null || dailyCreditsMicro !== null
  const day = hasCap ? dayOf(deps.clock.now()) : null
  const amountMicro = (await linesOf(deps, [ask.action]))[0]?.amountMicro ?? 0
  if (day !== null) {
    const refusal = await deps.dayOpen.open(
      { tenantId, agentId, day },
      {
        ...{ holdId, amountMicro, dailyMessages, dailyCreditsMicro },
        used: () => deps.daily.ofAgent(tenantId, agentId, day),
      },
    )
    if (refusal !== undefined) {
      const retryAfterMs = Date.parse(`${day}T00:00:00Z`) + dayMs - deps.clock.now()
      return { is: 'refused', code: refusal, retryAfterMs: Math.max(0, retryAfterMs) }
    }
  }
  const answer = await deps.ledger.of(tenantId).hold({ holdId, sessionId: ask.pieceId, amountMicro, owner: ask.owner })
  if (answer.is === 'held') return { is: 'reserved', reservation: { holdId, epoch: answer.epoch, day, amountMicro } }
  if (day !== null) await deps.dayOpen.close({ tenantId, agentId, day }, holdId)
  return answer.is === 'too_many_holds' ? { is: 'too_many' } : answer
}

const dayMs = 86_400_000

async function chargeReserved(deps: ReserveDeps, charge: PieceCharge): Promise<PieceCharged> {
  const { tenantId, agentId, channel, reservation, note } = charge
  const { holdId, epoch, day } = reservation
  const ledger = deps.ledger.of(tenantId)
  const [lines, metered] = await Promise.all([linesOf(deps, charge.actions), meteredOf(deps, charge.used)])
  const { costUsdMicro, tokens } = metered
  const answer = await ledger.settle({ holdId, by: { epoch }, lines, costUsdMicro, note })
  if (answer.is === 'fenced') throw new Error(`the reservation ${holdId} is not there`)
  let amountMicro = answer.receipt.totalMicro
  const wantedMicro = lines.reduce((sum, line) => sum + line.amountMicro, 0)
  if (answer.is === 'already' && amountMicro === 0 && wantedMicro > 0) {
    // Nobody spoke for it for so long that the janitor gave it back: it is charged without one, if it still can be.
    const late = { key: `late:${holdId}`, amountMicro: wantedMicro, note, lines, costUsdMicro }
    const deducted = await ledger.deductCredits(late)
    amountMicro = deducted.is === 'deducted' ? wantedMicro : 0
    if (deducted.is !== 'deducted') deps.log.warn({ tenantId, holdId, wantedMicro }, 'an answer could not be charged')
  }
  await deps.daily.write(tenantId, {
    ...{ agentId, channel, tokens, costUsdMicro, creditsMicro: amountMicro, seconds: 0, single: true, messages: 1 },
    ...{ sessionId: `charge:${holdId}`, day: day ?? dayOf(deps.clock.now()) },
  })
  if (day !== null) await deps.dayOpen.close({ tenantId, agentId, day }, holdId)
  return { amountMicro, costUsdMicro }
}

/** One line per meter. */
async function linesOf({ prices, clock }: ReserveDeps, actions: readonly Action[]): Promise<readonly ReceiptLine[]> {
  const price = await prices.actions(clock.now())
  const lines = new Map<string, ReceiptLine>()
  for (const action of actions) {
    const one = pieceLine(price, meterOf(action))
    const { quantity = 0, amountMicro = 0 } = lines.get(one.meter) ?? {}
    lines.set(one.meter, { ...one, quantity: quantity + 1, amountMicro: amountMicro + one.amountMicro })
  }
  return [...lines.values()]
}

async function meteredOf(
  { prices, clock }: ReserveDeps,
  used: readonly Metered[] | undefined,
): Promise<{ readonly costUsdMicro: number | null; readonly tokens: number }> {
  if (used === undefined) return { costUsdMicro: null, tokens: 0 }
  let costUsdMicro: number | null = 0
  let tokens = 0
  for (const { engine, model, meters } of used) {
    const bill = billOf(await prices.at({ engine, model, atMs: clock.now() }), { seconds: 0, toolCalls: 0, meters })
    tokens += bill.tokens
    costUsdMicro = bill.costUsdMicro === null || costUsdMicro === null ? null : costUsdMicro + bill.costUsdMicro
  }
  return { costUsdMicro, tokens }
}
