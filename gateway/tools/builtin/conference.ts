// What visitors of a conference ask: the event, its programme and its speakers.

import { z } from 'zod'
import type { Entities } from '../../entities/entities.ts'
import { type BuiltinTool, builtin, listResult } from '../tool.ts'

const name = z.string().max(80)

export function conferenceTools({ entities }: { readonly entities: Entities }): readonly BuiltinTool[] {
  const kind = { category: 'events', readOnly: true } as const
  return [
    builtin(
      { ...kind, name: 'get_program', kind: 'event.program', description: 'Tells what runs when and where.' },
      program(entities),
      async ({ at, ...query }, { tenantId }) =>
        listResult(await entities.of(tenantId).program({ ...query, atMinutes: at })),
    ),
    builtin(
      { ...kind, name: 'get_speakers', kind: 'event.speakers', description: 'Tells who speaks.' },
      z.strictObject({ name: name.describe('Name or part of it').optional() }),
      async (query, { tenantId }) => listResult(await entities.of(tenantId).speakers(query.name)),
    ),
    builtin(
      { ...kind, name: 'get_event_info', kind: 'event.info', description: 'Tells what, when and where the event is.' },
      z.strictObject({}),
      async (_args, { tenantId }) => ({ event: (await entities.of(tenantId).event()) ?? null }),
    ),
  ]
}

function program(entities: Entities) {
  const at = z
    .string()
    .max(20)
    .describe('Local time of day, e.g. 10:00: what runs then')
    .transform((text, context) => {
      const minutes = entities.minutesOf(text)
      if (minutes !== undefined) return minutes
      context.addIssue({ code: 'custom', message: 'a time such as 10:00' })
      return z.NEVER
    })
  return z.strictObject({
    at: at.optional(),
    day: z.iso.date().describe('YYYY-MM-DD').optional(),
    track: name.optional(),
    speaker: name.describe('Name or part of it').optional(),
  })
}
