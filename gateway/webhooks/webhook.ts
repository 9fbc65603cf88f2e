// A tenant's webhooks: what they want to hear of, what they are told, when it is tried again. Pure.

import { z } from 'zod'
import type { EventView } from '../protocol/records.ts'

/** `off`: by a person. `failed`: by us, after a day without one success, or because the other side said that it is gone. */
export const endpointStates = ['on', 'off', 'failed'] as const
export type EndpointState = (typeof endpointStates)[number]

/** `waiting`: to be tried, again or at all. `dropped`: given up after a day, or with the endpoint. */
export const deliveryStates = ['waiting', 'delivered', 'dropped'] as const
export type DeliveryState = (typeof deliveryStates)[number]

/** `order.placed`, `order.*` or `*`. */
export const typePattern = z
  .string()
  .max(130)
  .regex(/^(\*|[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)*(\.\*)?)$/, 'a type such as order.placed, order.* or *')

export function wants(patterns: readonly string[], type: string): boolean {
  return patterns.some((each) => (each.endsWith('*') ? type.startsWith(each.slice(0, -1)) : each === type))
}

/** As Standard Webhooks has it: the type, the moment of the event, and what it is about. */
export function bodyOf({ type, at, ...data }: EventView): string {
  return JSON.stringify({ type, timestamp: at, data })
}

const minute = 60_000
const hour = 60 * minute
/** After each failure; together a little less than a day. */
const pausesMs = [5_000, 30_000, 2 * minute, 10 * minute, 30 * minute, hour, 3 * hour, 6 * hour, 12 * hour]
/** Twenty per cent either way: what failed together does not come back together. */
const jitter = 0.2
const maxAskedMs = hour

/** Until the next attempt; undefined: no more. `askedMs`: what the other side asked for. */
export function pauseMs(failures: number, random: number, askedMs = 0): number | undefined {
  const pause = pausesMs[failures - 1]
  if (pause === undefined) return undefined
  return Math.max(Math.round(pause * (1 - jitter + 2 * jitter * random)), Math.min(askedMs, maxAskedMs))
}

/** An endpoint that has failed for so long, and so often, is not asked any more. */
export function isHopeless(failingSince: Date | null, failures: number, nowMs: number): boolean {
  return failingSince !== null && failures >= 5 && nowMs - failingSince.getTime() >= 24 * hour
}

/** `Retry-After`: seconds or a date. */
export function askedMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined
  const ms = /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - nowMs
  return Number.isFinite(ms) && ms > 0 ? ms : undefined
}
