// What the routes of objects answer with.

import { z } from 'zod'
import type { ObjectView } from '../protocol/agents.ts'

export const objectView = z
  .strictObject({
    ...{ id: z.string(), type: z.string(), subtype: z.string(), name: z.string(), slug: z.string() },
    ...{ status: z.string(), data: z.record(z.string(), z.unknown()) },
    revision: z.int().describe('Counts its changes.'),
    ...{ createdAt: z.iso.datetime(), updatedAt: z.iso.datetime() },
  })
  .meta({ id: 'Object' }) satisfies z.ZodType<ObjectView>
