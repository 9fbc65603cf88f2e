// What an event is: checked as it comes in, shown as a caller may see it. Pure.

import { z } from 'zod'
import type { Actor, AuthContext } from '../platform/access.ts'
import { Problem } from '../platform/problem.ts'
import { type ActorType, type EventView, eventPayloadBytes } from '../protocol/records.ts'

export interface NewEvent {
  /** The same id twice is one event. Left out: a new one. */
  readonly id?: string
  /** `noun.verb` */
  readonly type: string
  readonly actor: Actor
  readonly entity?: { readonly type: string; readonly id: string } | undefined
  readonly payload?: Readonly<Record<string, unknown>> | undefined
  /** Of the payload. Default 1. */
  readonly schemaVersion?: number | undefined
  /** Default: now. */
  readonly at?: Date
}

export const eventType = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,39}(\.[a-z][a-z0-9_-]{0,39}){1,2}$/, 'a name such as order.placed')
export const entityRef = z.strictObject({
  type: z.string().regex(/^[a-z][a-z0-9_-]{0,79}$/),
  id: z.string().min(1).max(80),
})
export const schemaVersion = z.int().min(1).max(10_000)

/** As JSON text: the names of its fields are the tenant's own, and no field names of documents. `too_large`, `invalid`. */
export function payloadText(payload: Readonly<Record<string, unknown>> = {}): string {
  const text = JSON.stringify(payload)
  if (Buffer.byteLength(text) > eventPayloadBytes)
    throw new Problem('too_large', `The payload of an event has at most ${eventPayloadBytes} bytes.`)
  return text
}

const sorts = {
  operator: 'user',
  visitor: 'user',
  agent: 'agent',
  key: 'system',
  system: 'system',
  webhook: 'webhook',
} as const satisfies Record<Actor['kind'], ActorType>

export const actorTypeOf = ({ kind }: Actor): ActorType => sorts[kind]

/** Throws `invalid` with the paths of what is wrong. */
export function checkEvent(event: NewEvent): void {
  const parsed = z
    .object({ type: eventType, entity: entityRef.optional(), schemaVersion: schemaVersion.optional() })
    .safeParse(event)
  if (parsed.success) return
  throw new Problem('invalid', 'The event has a wrong value.', {
    issues: parsed.error.issues.map(({ path, message }) => ({ path: path.map(String).join('.'), message })),
  })
}

/** What is hidden of an entity is hidden in the events about it, whose payloads hold its fields under `data`. */
export function maskedEvent(event: EventView, auth: AuthContext): EventView {
  const { entity } = event
  if (entity === null) return auth.masked('events', event)
  const payload = auth.may('entities.read', entity.type) ? maskedPayload(event.payload, entity.type, auth) : {}
  return auth.masked('events', { ...event, payload })
}

/** The payload is a part of the record, which does not tell whose row it was: a field that is masked at all is left out. */
function maskedPayload(payload: EventView['payload'], type: string, auth: AuthContext): EventView['payload'] {
  const { data } = payload
  if (typeof data !== 'object' || data === null) return auth.masked('entities', payload, type)
  const seen = Object.entries(data).filter(([name]) => auth.sees('entities', `data.${name}`, type))
  return auth.masked('entities', { ...payload, data: Object.fromEntries(seen) }, type)
}
