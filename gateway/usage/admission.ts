// Admission: rate, slot, the agent's day, hold, in that order; what a refusal had taken on the way goes back. Rules U4,
// U7, U9, U13 and U14.

import type { Ledger } from '../ledger/ledger.ts'
import type { Clock } from '../platform/clock.ts'
import type { Breaker } from '../platform/deadline.ts'
import { newId, type TenantId } from '../platform/ids.ts'
import type { Log } from '../platform/log.ts'
import type { Channel } from '../protocol/turn.ts'
import type { AgentDayAnswer, AgentDayAsk, AgentLimits } from './agent-day.ts'
import type { PriceSnapshot } from './bill.ts'
import { type Plan, planLimits } from './limits.ts'
import type { LocalGate } from './local-gate.ts'
import type { PriceStore } from './price-store.ts'
import type { RateAsk, RateCode, Rates } from './rates.ts'
import type { SlotCheck } from './slot-check.ts'
import type { Holder, SessionKey, Slots } from './slots.ts'

export interface AdmitRequest {
  readonly tenantId: TenantId
  readonly plan: Plan
  readonly agentId: string
  readonly sessionId: string
  readonly channel: Channel
  readonly engine: string
  /** Model the engine will run; without it the engine's default model's price counts. */
  readonly model?: string
  readonly ip: string
  readonly keyId: string
  readonly owner: string
  /** Missing: none. */
  readonly agentLimits?: AgentLimits
}

export interface Admission {
  readonly holdId: string
  readonly epoch: number
  readonly heldMicro: number
  readonly price: PriceSnapshot
}

export type AdmitAnswer =
  | { readonly is: 'admitted'; readonly admission: Admission }
  | { readonly is: 'refused'; readonly code: RefusalCode; readonly retryAfterMs: number }

/** Each limit has its own: see `protocol/codes.ts` for the words. */
export type RefusalCode = RateCode | 'no_slot' | 'agent_day_messages' | 'agent_day_cost' | 'out_of_credit'

export interface AdmissionDeps {
  readonly ledger: Ledger
  readonly clock: Clock
  readonly log: Log
  readonly prices: PriceStore
  readonly rates: Rates
  readonly slots: Slots
  readonly slotCheck: SlotCheck
  readonly agentDay: (ask: AgentDayAsk) => Promise<AgentDayAnswer>
  readonly local: LocalGate
  readonly breaker: Breaker
}

const holdSeconds = 120
/** A slot is free when some other call ends: nobody knows when. */
const slotRetryMs = 5_000

type Gate =
  | { readonly is: 'open'; giveBack(): Promise<void> }
  | { readonly is: 'refused'; readonly code: RefusalCode; readonly retryAfterMs: number }

interface Full {
  readonly is: 'full'
  readonly holders: readonly Holder[]
  giveBack(): Promise<void>
}

const noSlot: Gate = { is: 'refused', code: 'no_slot', retryAfterMs: slotRetryMs }

export async function admit(deps: AdmissionDeps, request: AdmitRequest): Promise<AdmitAnswer> {
  const { engine, model } = request
  const price = await deps.prices.at({ engine, model, atMs: deps.clock.now() })
  if (price.costUsdMicroPerMillion === null)
    deps.log.warn({ engine, model, price: price.id }, 'cost of this model is unknown')
  const gate = await enter(deps, request)
  if (gate.is === 'refused') return gate
  let admitted = false
  try {
    const today = await deps.agentDay(request)
    const answer = today.is === 'refused' ? today : await hold(deps, request, price)
    admitted = answer.is === 'admitted'
    return answer
  } finally {
    if (!admitted) await leave(deps, request, gate)
  }
}

async function hold(deps: AdmissionDeps, request: AdmitRequest, price: PriceSnapshot): Promise<AdmitAnswer> {
  const holdId = newId('hold')
  const { tenantId, sessionId, owner } = request
  const amountMicro = holdSeconds * price.holdSecondMicro
  const answer = await deps.ledger.of(tenantId).hold({ holdId, sessionId, amountMicro, owner })
  switch (answer.is) {
    case 'held':
      return { is: 'admitted', admission: { holdId, epoch: answer.epoch, heldMicro: answer.amountMicro, price } }
    case 'out_of_credit':
      return { is: 'refused', code: 'out_of_credit', retryAfterMs: 0 }
    case 'too_many_holds':
      return { is: 'refused', code: 'no_slot', retryAfterMs: slotRetryMs }
  }
}

/** Visitors' addresses are limited; the servers of tenants and carriers stand for many people and are not. */
const serverChannels: readonly Channel[] = ['api', 'voice']

async function enter(deps: AdmissionDeps, request: AdmitRequest): Promise<Gate> {
  const { tenantId, plan, keyId, channel } = request
  const ask: RateAsk = { tenantId, plan, keyId, ip: serverChannels.includes(channel) ? undefined : request.ip }
  let alone: Gate | undefined
  const work = async () => {
    const gate = await enterShared(deps, ask, request)
    // Too late: this process decided alone meanwhile, and what was taken from the others goes back.
    if (alone !== undefined && gate.is !== 'refused') {
      await gate.giveBack()
      if (gate.is === 'open' && alone.is === 'refused') await deps.slots.release(request)
    }
    return gate
  }
  const shared = await deps.breaker.run<Gate | Full>(work, () => {
    alone = enterLocal(deps, ask, request)
    return alone
  })
  const gate = shared.is === 'full' ? await enterFull(deps, request, shared) : shared
  if (gate.is === 'open') deps.local.note(request)
  return gate
}

async function enterShared(deps: AdmissionDeps, ask: RateAsk, session: SessionKey): Promise<Gate | Full> {
  const start = await deps.rates.take(ask, 'start')
  if (start.is === 'refused') return start
  const { giveBack } = start
  const slot = await deps.slots.acquire(session, planLimits[ask.plan].sessions)
  return slot.is === 'taken' ? { is: 'open', giveBack } : { is: 'full', holders: slot.holders, giveBack }
}

/** No slot left, as far as Redis knows: whoever holds one and is over makes room. */
async function enterFull(deps: AdmissionDeps, request: AdmitRequest, { holders, giveBack }: Full): Promise<Gate> {
  const dead = await deps.slotCheck.dead(request.tenantId, holders)
  if (dead.length > 0 && (await takeFrom(deps, request, dead))) return { is: 'open', giveBack }
  await deps.breaker.run(giveBack, () => undefined)
  return noSlot
}

async function takeFrom(deps: AdmissionDeps, request: AdmitRequest, dead: readonly string[]): Promise<boolean> {
  deps.log.warn({ event: 'slots_freed', tenantId: request.tenantId, sessions: dead.length }, 'slots of dead sessions')
  let isLate = false
  const work = async () => {
    const { is } = await deps.slots.acquire(request, planLimits[request.plan].sessions, dead)
    if (isLate && is === 'taken') await deps.slots.release(request)
    return is === 'taken'
  }
  return deps.breaker.run(work, () => {
    isLate = true
    return false
  })
}

function enterLocal(deps: AdmissionDeps, ask: RateAsk, session: SessionKey): Gate {
  const answer = deps.local.enter(ask, session)
  if (answer.is === 'taken') return { is: 'open', giveBack: async () => answer.giveBack() }
  return answer.is === 'no_slot' ? noSlot : answer
}

async function leave(deps: AdmissionDeps, session: SessionKey, gate: Extract<Gate, { is: 'open' }>): Promise<void> {
  deps.local.leave(session)
  const nothing = () => undefined
  await Promise.all([
    deps.breaker.run(gate.giveBack, nothing),
    deps.breaker.run(() => deps.slots.release(session), nothing),
  ])
}
