// What the process that reads a document tells, line by line.

import { z } from 'zod'
import { sourceProblems } from '../../protocol/knowledge.ts'

/** Of one source: some five million characters. */
export const mostChunks = 5_000

const chunk = z.object({
  title: z.string(),
  text: z.string(),
  heading: z.string().exactOptional(),
  page: z.int().exactOptional(),
})

/** The process has read what a stranger wrote: it is believed no more than that. */
export const told = z.discriminatedUnion('is', [
  z.object({ is: z.literal('progress'), share: z.number().min(0).max(1) }),
  z.object({ is: z.literal('chunks'), chunks: z.array(chunk).max(mostChunks) }),
  z.object({ is: z.literal('problem'), code: z.enum(sourceProblems), message: z.string().max(300) }),
  z.object({ is: z.literal('end') }),
])
export type Told = z.output<typeof told>
