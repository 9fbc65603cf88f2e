// From cumulative usage to a bill, in integers. Pure; rules U1 and U3 of SPEC.md.

import type { Meters } from '../engines/engines.ts'
import type { ReceiptLine } from '../protocol/rest.ts'

/** A price book entry as it stood when the session began: an edit during the call changes nothing. */
export interface PriceSnapshot {
  readonly id: string
  readonly engine: string
  /** Micro-credits for one second of session, always charged. */
  readonly secondMicro: number
  /** Micro-credits per million units of each meter. */
  readonly meterMicroPerMillion: Readonly<Record<string, number>>
  /** Micro-dollars per million units, what the provider charges us. Null: unknown. */
  readonly costUsdMicroPerMillion: Readonly<Record<string, number>> | null
  /** What a busy second costs at most: sizes the hold. */
  readonly holdSecondMicro: number
}

/** Cumulative facts of one session. Seconds are media seconds by the gateway's monotonic clock. */
export interface UsageSoFar {
  readonly seconds: number
  readonly meters: Meters
  /** All of them, named below or not. */
  readonly toolCalls: number
  /** Calls by the tool's name. */
  readonly tools?: Readonly<Record<string, number>>
  /** What the person said or wrote. */
  readonly messages?: number
}

/** Both are cumulative figures of one session: of each the greater is the later. */
export function laterUsage(a: UsageSoFar, b: UsageSoFar): UsageSoFar {
  const greater = (x: Readonly<Record<string, number>> = {}, y: Readonly<Record<string, number>> = {}) =>
    Object.fromEntries(
      [...Object.keys(x), ...Object.keys(y)].map((name) => [name, Math.max(x[name] ?? 0, y[name] ?? 0)]),
    )
  return {
    seconds: Math.max(a.seconds, b.seconds),
    meters: greater(a.meters, b.meters),
    toolCalls: Math.max(a.toolCalls, b.toolCalls),
    tools: greater(a.tools, b.tools),
    messages: Math.max(a.messages ?? 0, b.messages ?? 0),
  }
}

export interface Bill {
  readonly lines: readonly ReceiptLine[]
  readonly totalMicro: number
  readonly tokens: number
  readonly costUsdMicro: number | null
}

export const sessionSeconds = 'session.seconds'
/** Calls nobody named. */
export const toolCalls = 'tool.calls'
export const sessionMessages = 'session.messages'
/** Price of a tool that has none of its own. */
export const anyTool = 'tool.*.calls'

/** Before the rest of a meter's name: price of work by a model that has none of its own. What that costs us stays unknown. */
export const anyWork = 'work.*.'

/** A meter's name must pass the ledger: lower case, 64 characters at most. */
export function toolMeter(name: string): string {
  return `tool.${name
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '_')
    .slice(0, 50)}.calls`
}

const isToolMeter = (meter: string) => meter.startsWith('tool.') && meter.endsWith('.calls')

const million = 1_000_000
/** Above any session; keeps quantity × price within 2^53 when a provider reports nonsense. */
const maxQuantity = 1e12

/** Grows with usage and never otherwise: every figure is rounded down on its own, in the tenant's favour. */
export function billOf(price: PriceSnapshot, usage: UsageSoFar): Bill {
  const used = quantities(usage)
  const lines: ReceiptLine[] = []
  let totalMicro = 0
  let tokens = 0
  for (const [meter, quantity] of used) {
    if (meter.endsWith('.tokens')) tokens += quantity
    const priceMicroPerMillion =
      meter === sessionSeconds ? price.secondMicro * million : creditRate(price.meterMicroPerMillion, meter)
    if (priceMicroPerMillion === undefined) continue
    const amountMicro = Number((BigInt(quantity) * BigInt(priceMicroPerMillion)) / BigInt(million))
    lines.push({ meter, quantity, unit: unitOf(meter), priceMicroPerMillion, amountMicro })
    totalMicro += amountMicro
  }
  return { lines, totalMicro, tokens, costUsdMicro: costOf(price, used) }
}

/** One piece of what the meter counts; what the book does not price is free. */
export function pieceLine(price: PriceSnapshot, meter: string): ReceiptLine {
  const priceMicroPerMillion = creditRate(price.meterMicroPerMillion, meter) ?? 0
  return {
    ...{ meter, quantity: 1, unit: unitOf(meter), priceMicroPerMillion },
    amountMicro: Math.floor(priceMicroPerMillion / million),
  }
}

/** Null as soon as one used meter has no known cost: a sum without it would look like the whole. */
function costOf(price: PriceSnapshot, used: readonly (readonly [string, number])[]): number | null {
  const costs = price.costUsdMicroPerMillion
  if (costs === null) return null
  let sum = 0n
  for (const [meter, quantity] of used) {
    // Providers charge for time, for messages and for our own tool calls only if the book says so.
    const rate = rateOf(costs, meter) ?? (meter.startsWith('session.') || isToolMeter(meter) ? 0 : undefined)
    if (rate === undefined && quantity > 0) return null
    sum += BigInt(quantity) * BigInt(rate ?? 0)
  }
  return Number((sum + BigInt(million / 2)) / BigInt(million))
}

function quantities(usage: UsageSoFar): readonly (readonly [string, number])[] {
  const meters = Object.entries(usage.meters)
    .map(([meter, quantity]) => [meter, whole(quantity)] as const)
    .filter(([, quantity]) => quantity > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const tools = toolQuantities(usage)
  const messages = whole(usage.messages)
  return [
    [sessionSeconds, whole(usage.seconds)],
    ...meters,
    ...tools,
    ...(messages > 0 ? [[sessionMessages, messages] as const] : []),
  ]
}

function toolQuantities(usage: UsageSoFar): readonly (readonly [string, number])[] {
  const byMeter = new Map<string, number>()
  let named = 0
  for (const [name, quantity] of Object.entries(usage.tools ?? {})) {
    const calls = whole(quantity)
    named += calls
    if (calls > 0) byMeter.set(toolMeter(name), (byMeter.get(toolMeter(name)) ?? 0) + calls)
  }
  const rest = whole(usage.toolCalls) - named
  const sorted = [...byMeter].sort(([a], [b]) => (a < b ? -1 : 1))
  return rest > 0 ? [...sorted, [toolCalls, rest]] : sorted
}

export function whole(quantity: number | undefined): number {
  return quantity === undefined || !(quantity > 0) ? 0 : Math.floor(Math.min(quantity, maxQuantity))
}

function creditRate(rates: Readonly<Record<string, number>>, meter: string): number | undefined {
  const own = rateOf(rates, meter)
  if (own !== undefined) return own
  if (isToolMeter(meter)) return meter === toolCalls ? undefined : rateOf(rates, anyTool)
  return rateOf(rates, meter.replace(/^work\.[^.]+\./, anyWork))
}

function rateOf(rates: Readonly<Record<string, number>>, meter: string): number | undefined {
  return Object.hasOwn(rates, meter) ? rates[meter] : undefined
}

function unitOf(meter: string): ReceiptLine['unit'] {
  if (meter.endsWith('.tokens')) return 'token'
  if (meter.endsWith('.characters')) return 'character'
  if (meter.endsWith('.calls')) return 'call'
  if (meter.endsWith('.messages')) return 'message'
  return 'second'
}
