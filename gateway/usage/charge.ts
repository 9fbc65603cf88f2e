// What is charged by the piece: messages answered outside of live sessions, tool calls, builder runs. Rule U15.

import type { Meters } from '../engines/engines.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Clock } from '../platform/clock.ts'
import type { Channel } from '../protocol/turn.ts'
import { type AgentDayAnswer, type AgentDayAsk, dayOf } from './agent-day.ts'
import { type Bill, billOf, pieceLine, toolMeter } from './bill.ts'
import type { DailyStore } from './daily-store.ts'
import type { PriceStore } from './price-store.ts'
import { builderMeter, messageMeters } from './prices.ts'

export type Action =
  | { readonly is: 'message'; readonly weight: 'simple' | 'complex' }
  | { readonly is: 'tool'; readonly name: string }
  | { readonly is: 'builder' }

export interface ChargeAsk extends AgentDayAsk {
  readonly action: Action
}

export interface ChargeRequest extends Omit<ChargeAsk, 'agentLimits'> {
  /** What is charged: a turn's id, a tool call's id. The same key is charged once. */
  readonly key: string
  readonly channel: Channel
  readonly note: string
  /** What the provider metered for it: priced in dollars by the engine's row. Missing for a message: unknown. */
  readonly used?: { readonly engine: string; readonly model?: string; readonly meters: Meters }
}

export type MayChargeAnswer =
  | { readonly is: 'enough'; readonly amountMicro: number }
  | { readonly is: 'out_of_credit'; readonly amountMicro: number; readonly shortfallMicro: number }
  | Extract<AgentDayAnswer, { readonly is: 'refused' }>

export type ChargeAnswer =
  | {
      readonly is: 'charged'
      readonly entryId: string
      readonly amountMicro: number
      /** Null: unknown. */
      readonly costUsdMicro: number | null
    }
  | { readonly is: 'out_of_credit'; readonly amountMicro: number; readonly shortfallMicro: number }

export interface ChargeDeps {
  readonly ledger: Ledger
  readonly prices: PriceStore
  readonly daily: DailyStore
  readonly clock: Clock
  readonly agentDay: (ask: AgentDayAsk) => Promise<AgentDayAnswer>
}

export interface Charges {
  mayCharge(ask: ChargeAsk): Promise<MayChargeAnswer>
  charge(request: ChargeRequest): Promise<ChargeAnswer>
}

export function createCharges(deps: ChargeDeps): Charges {
  const { ledger, prices, clock } = deps
  const lineOf = async (action: Action) => pieceLine(await prices.actions(clock.now()), meterOf(action))
  return {
    async mayCharge(ask) {
      const today = await deps.agentDay(ask)
      if (today.is === 'refused') return today
      const { amountMicro } = await lineOf(ask.action)
      const answer = await ledger.of(ask.tenantId).check(amountMicro)
      if (answer.is === 'enough') return { is: 'enough', amountMicro }
      return { is: 'out_of_credit', amountMicro, shortfallMicro: answer.shortfallMicro }
    },
    async charge(request) {
      const { tenantId, key, note } = request
      const [line, metered] = await Promise.all([lineOf(request.action), meteredOf(deps, request)])
      const { amountMicro } = line
      const costUsdMicro = metered === undefined ? unmetered(request.action) : metered.costUsdMicro
      const deduction = { key, amountMicro, note, lines: [line], costUsdMicro }
      const answer = await ledger.of(tenantId).deductCredits(deduction)
      if (answer.is === 'out_of_credit') return { ...answer, amountMicro }
      await count(deps, request, { amountMicro, costUsdMicro, tokens: metered?.tokens ?? 0 })
      return { is: 'charged', entryId: answer.entry.id, amountMicro, costUsdMicro }
    },
  }
}

/** Tools and the builder cost the gateway's operator nothing; what a message cost is not known unless metered. */
function unmetered(action: Action): number | null {
  return action.is === 'message' ? null : 0
}

async function meteredOf({ prices, clock }: ChargeDeps, { used }: ChargeRequest): Promise<Bill | undefined> {
  if (used === undefined) return undefined
  const { engine, model, meters } = used
  const price = await prices.at({ engine, model, atMs: clock.now() })
  return billOf(price, { seconds: 0, toolCalls: 0, meters })
}

async function count(
  deps: ChargeDeps,
  { tenantId, key, agentId, channel, action }: ChargeRequest,
  figures: { readonly amountMicro: number; readonly costUsdMicro: number | null; readonly tokens: number },
): Promise<void> {
  const { amountMicro, costUsdMicro, tokens } = figures
  await deps.daily.write(tenantId, {
    ...{ agentId, channel, tokens, costUsdMicro, creditsMicro: amountMicro, seconds: 0, single: true },
    sessionId: `charge:${key}`,
    day: dayOf(deps.clock.now()),
    messages: action.is === 'message' ? 1 : 0,
  })
}

export function meterOf(action: Action): string {
  switch (action.is) {
    case 'message':
      return messageMeters[action.weight]
    case 'tool':
      return toolMeter(action.name)
    case 'builder':
      return builderMeter
  }
}
