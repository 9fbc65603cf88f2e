// The assistant that drafts a descriptor. Nothing is stored and nothing is asked: the draft is tried and saved by other routes.

import { z } from 'zod'
import { type Route, route } from '../../platform/http.ts'
import { Problem } from '../../platform/problem.ts'
import { newTool } from '../routes.ts'
import { type DraftModels, draftFromSentence } from './draft.ts'
import { draftsFrom } from './openapi.ts'

const draftView = z.strictObject({
  descriptor: newTool.extend({ name: z.string() }),
  notes: z.array(z.string()).describe('What is still to be done or known.'),
})
const body = z.strictObject({
  openapi: z
    .union([z.record(z.string(), z.unknown()), z.string().max(1_000_000)])
    .exactOptional()
    .describe('An OpenAPI 3 document, as JSON or its text.'),
  operation: z
    .string()
    .max(300)
    .exactOptional()
    .describe('operationId or `GET /path`; without it every operation is drafted.'),
  sentence: z.string().trim().min(1).max(2_000).exactOptional().describe('What the tool shall do, in words.'),
  url: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .exactOptional()
    .describe('Where the service is, if neither of them says it.'),
})
const draftMs = 45_000

export function toolDraftRoutes({ textModels }: { readonly textModels: DraftModels }): Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/tools/draft',
      access: 'tools.write',
      reply: z.strictObject({ items: z.array(draftView) }),
      summary: 'Drafts descriptors of kind `http` from an OpenAPI document or from a sentence.',
      body,
      maxBytes: 1_500_000,
      async run({ tenantId, body: { openapi, operation, sentence, url } }) {
        if (openapi !== undefined) {
          const items = draftsFrom(documentOf(openapi), {
            ...(operation === undefined ? {} : { operation }),
            ...(url === undefined ? {} : { url }),
          })
          if (items.length === 0) throw new Problem('invalid', 'The document has no such operation.')
          return { json: { items } }
        }
        if (sentence === undefined) throw new Problem('invalid', 'Send a sentence or an OpenAPI document.')
        const signal = AbortSignal.timeout(draftMs)
        return { json: { items: [await draftFromSentence(textModels, { tenantId, sentence, url, signal })] } }
      },
    }),
  ]
}

function documentOf(given: string | Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (typeof given !== 'string') return given
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(given))
  } catch {
    throw new Problem('invalid', 'The OpenAPI document is not JSON.')
  }
}
