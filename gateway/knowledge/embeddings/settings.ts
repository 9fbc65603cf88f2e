// What the environment may say about embeddings.

import { z } from 'zod'

export const embeddingSettings = {
  EMBEDDINGS_MODEL: z
    .string()
    .optional()
    .describe(
      'Embedding model of knowledge, e.g. text-embedding-3-small: passages are found by meaning in its languages. Unset: the built-in English word vectors. Sources are read again to get its vectors.',
    ),
  EMBEDDINGS_BASE_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('OpenAI-compatible server of EMBEDDINGS_MODEL. Default: OPENAI_BASE_URL.'),
  EMBEDDINGS_API_KEY: z
    .string()
    .optional()
    .describe('Key of that server. Default: OPENAI_API_KEY, at its own address.'),
  EMBEDDINGS_DIMENSIONS: z.coerce
    .number()
    .int()
    .min(64)
    .max(4_096)
    .optional()
    .describe('Asks the model for shorter vectors, where it can: less memory and faster searches.'),
} as const

export interface EmbeddingPlan {
  readonly model: string
  readonly baseUrl: string
  readonly apiKey: string | undefined
  readonly dimensions: number | undefined
}

const schema = z.object(embeddingSettings)
type Given = z.output<typeof schema> & {
  readonly OPENAI_BASE_URL: string
  readonly OPENAI_API_KEY?: string | undefined
}

/** Undefined: no model. A key goes to the address that it is for, and to no other. */
export function embeddingPlan(given: Given): EmbeddingPlan | undefined {
  const {
    EMBEDDINGS_MODEL: model,
    EMBEDDINGS_BASE_URL: own,
    EMBEDDINGS_API_KEY,
    OPENAI_BASE_URL,
    OPENAI_API_KEY,
  } = given
  if (model === undefined) return undefined
  const shared = own === undefined || own === OPENAI_BASE_URL ? OPENAI_API_KEY : undefined
  return {
    ...{ model, baseUrl: own ?? OPENAI_BASE_URL, apiKey: EMBEDDINGS_API_KEY ?? shared },
    dimensions: given.EMBEDDINGS_DIMENSIONS,
  }
}
