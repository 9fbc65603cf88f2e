// The body of every refusal, as the document shows it.

import { z } from 'zod'
import { problems } from '../../protocol/codes.ts'

const fields = {
  code: z.string().describe(`One of ${Object.keys(problems).sort().join(', ')}.`),
  message: z.string().describe('May be shown to a person.'),
  retry: z.enum(['never', 'now', 'backoff', 'new_token']).describe('Whether asking again helps.'),
  id: z.string().optional().describe('Of an internal error: stands in the gateway’s log.'),
  retryAfterMs: z.number().optional(),
  issues: z
    .array(z.strictObject({ path: z.string(), message: z.string() }))
    .optional()
    .describe('What is wrong with the request, part by part.'),
}

export const problemReply = z.strictObject({ error: z.strictObject(fields) }).meta({ id: 'Problem' })

/** As the original sorts its errors. */
export const stockProblemReply = z
  .strictObject({
    error: z.strictObject({
      ...fields,
      type: z.enum(['invalid_request_error', 'rate_limit_error', 'server_error']),
      param: z.string().nullable(),
    }),
  })
  .meta({ id: 'StockProblem' })
