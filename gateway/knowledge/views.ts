// What the routes of knowledge send.

import { z } from 'zod'
import type { SystemDocumentDetail, SystemDocumentView } from '../protocol/agents.ts'
import {
  type KnowledgeFinding,
  type KnowledgeProgress,
  type KnowledgeSourceView,
  sourceFormats,
  sourceProblems,
  sourceStates,
} from '../protocol/knowledge.ts'

const system = {
  ...{ slug: z.string(), title: z.string(), category: z.enum(['marketing', 'sales', 'strategy']) },
  ...{ summary: z.string(), keywords: z.array(z.string()) },
}
export const systemView = z.strictObject(system).meta({ id: 'SystemDocument' }) satisfies z.ZodType<SystemDocumentView>
export const systemDetail = z
  .strictObject({ ...system, text: z.string().describe('Markdown.') })
  .meta({ id: 'SystemDocumentDetail' }) satisfies z.ZodType<SystemDocumentDetail>

const source = z.strictObject({
  id: z.string(),
  name: z.string(),
  kind: z.enum(['file', 'url']),
  format: z.enum(sourceFormats).nullable(),
  url: z.string().nullable(),
  state: z.enum(sourceStates).describe('`ready`: searched. One that is read again stays searched as it was.'),
  progress: z.int().min(0).max(100).describe('Of the reading, in percent.'),
  problem: z
    .strictObject({ code: z.enum(sourceProblems), message: z.string() })
    .nullable()
    .describe('Why the last reading failed.'),
  chunks: z.int().describe('Passages that are searched.'),
  bytes: z.int(),
  sha256: z.string().nullable(),
  createdBy: z.string(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  readAt: z.iso.datetime().nullable(),
}) satisfies z.ZodType<KnowledgeSourceView>

/** A mask may leave any field out. */
export const sourceView = source.partial().meta({ id: 'KnowledgeSource' })

export const progressView = z
  .strictObject({
    ...{ sources: z.int(), queued: z.int(), reading: z.int(), failed: z.int(), ready: z.int(), chunks: z.int() },
    progress: z.int().min(0).max(100).describe('Of all that is queued or read just now; 100 when nothing is.'),
  })
  .meta({ id: 'KnowledgeProgress' }) satisfies z.ZodType<KnowledgeProgress>

export const findingView = z
  .strictObject({
    kind: z.string(),
    title: z.string(),
    text: z.string(),
    heading: z.string().nullable(),
    page: z.int().nullable(),
    source: z.string().nullable().describe('Name of the source.'),
    sourceId: z.string().nullable(),
    url: z.string().nullable(),
    score: z.number().describe('Only comparable within one answer.'),
  })
  .meta({ id: 'KnowledgeFinding' }) satisfies z.ZodType<KnowledgeFinding>
