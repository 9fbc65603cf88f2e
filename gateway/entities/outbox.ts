// How a change and its event become one: the event is written into the changed document by the same write, under an id of its
// own, then appended to the log, then taken out. Whoever dies in between leaves it in the document, where `repair` finds it; an
// event that is in the log already is not appended twice.

import type { Actor } from '../platform/access.ts'
import { newOrderedId, type TenantId } from '../platform/ids.ts'
import { eventPayloadBytes } from '../protocol/records.ts'

export interface NewEvent {
  readonly id: string
  readonly type: string
  readonly actor: Actor
  readonly entity: { readonly type: string; readonly id: string }
  readonly payload: Readonly<Record<string, unknown>>
  readonly at: Date
}

/** The log. It stands beside this slice: joined in slices.ts. */
export interface EventSink {
  append(tenantId: TenantId, events: readonly NewEvent[]): Promise<void>
}

export function newEvent(
  type: string,
  about: Pick<NewEvent, 'actor' | 'entity' | 'payload'> & { readonly nowMs: number },
): NewEvent {
  const { actor, entity, payload, nowMs } = about
  const { kind, id, name } = actor
  const fits = Buffer.byteLength(JSON.stringify(payload)) <= eventPayloadBytes
  const { data: _, ...rest } = payload
  return {
    ...{ id: newOrderedId('evt', nowMs), type, entity, at: new Date(nowMs) },
    actor: { kind, id, name },
    // What changed in a large entity is read from the entity.
    payload: fits ? payload : { ...rest, isTruncated: true },
  }
}

/** Fields of `after` that differ; null for those that are gone. */
export function changesOf(before: object, after: object): Record<string, unknown> {
  const old = new Map<string, unknown>(Object.entries(before))
  const now = new Map<string, unknown>(Object.entries(after))
  const names = new Set([...old.keys(), ...now.keys()])
  const differs = (name: string) => JSON.stringify(old.get(name)) !== JSON.stringify(now.get(name))
  return Object.fromEntries([...names].filter(differs).map((name) => [name, now.get(name) ?? null]))
}
