// What the log's routes send.

import { z } from 'zod'
import type { EventView } from '../protocol/records.ts'
import { entityRef } from './event.ts'

const fields = z.strictObject({
  id: z.string(),
  type: z.string(),
  schemaVersion: z.int(),
  actorType: z.enum(['user', 'agent', 'system', 'webhook']),
  actor: z.strictObject({
    kind: z.enum(['operator', 'key', 'visitor', 'agent', 'system', 'webhook']),
    id: z.string(),
    name: z.string(),
  }),
  entity: entityRef.nullable(),
  payload: z.record(z.string(), z.unknown()),
  at: z.iso.datetime(),
}) satisfies z.ZodType<EventView>

/** A mask may leave any field out. */
export const eventView = fields.partial().meta({ id: 'Event' })
export const eventTypesReply = z.strictObject({ items: z.array(z.string()) })
