// Vectors of a model behind `POST /embeddings`, as OpenAI, Azure, Ollama, vLLM and others speak it.

import { z } from 'zod'
import { normalised } from '../search/word-vectors.ts'
import type { Embedder } from './embedder.ts'
import type { EmbeddingPlan } from './settings.ts'

const answer = z.object({
  data: z.array(z.object({ index: z.int().min(0), embedding: z.union([z.string(), z.array(z.number())]) })),
})
/** Of one request; a server that answers 429 or 5xx is asked once more. */
const timeoutMs = 30_000
const retryMs = 1_000
const textChars = 8_000

export function createOpenAiEmbedder({ model, baseUrl, apiKey, dimensions }: EmbeddingPlan): Embedder {
  const url = `${baseUrl.replace(/\/$/, '')}/embeddings`
  const ask = (texts: readonly string[], signal: AbortSignal): Promise<Response> =>
    fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      },
      body: JSON.stringify({
        ...{ model, input: texts.map((text) => text.slice(0, textChars)), encoding_format: 'base64' },
        ...(dimensions === undefined ? {} : { dimensions }),
      }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    })
  return {
    // Vectors of another length cannot be compared.
    model: dimensions === undefined ? model : `${model}/${dimensions}`,
    async embed(texts, signal) {
      if (texts.length === 0) return []
      let response = await ask(texts, signal)
      if (response.status === 429 || response.status >= 500) {
        await response.body?.cancel()
        await new Promise((resolve) => setTimeout(resolve, retryMs))
        response = await ask(texts, signal)
      }
      if (!response.ok) throw new Error(`the embedding server answered ${response.status}`)
      const { data } = answer.parse(await response.json())
      const vectors = data.toSorted((a, b) => a.index - b.index).map(({ embedding }) => vectorOf(embedding))
      if (vectors.length !== texts.length || vectors.some((each) => each.length !== vectors[0]?.length))
        throw new Error('the embedding server answered with other vectors than were asked for')
      return vectors.map(normalised)
    },
  }
}

/** Servers that do not know base64 send the numbers. */
function vectorOf(embedding: string | readonly number[]): Float32Array<ArrayBuffer> {
  if (typeof embedding !== 'string') return Float32Array.from(embedding)
  const bytes = Uint8Array.from(Buffer.from(embedding, 'base64'))
  return new Float32Array(bytes.buffer, 0, Math.floor(bytes.length / 4))
}
