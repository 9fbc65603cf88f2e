// An embedding server on loopback behind OpenAI's wire. Its meanings are a list of words that stand for one thing, in any language.

import { createServer, type Server } from 'node:http'
import { json } from 'node:stream/consumers'
import { z } from 'zod'

const body = z.strictObject({
  model: z.string().min(1),
  input: z.array(z.string().min(1)).min(1).max(2_048),
  encoding_format: z.enum(['float', 'base64']).default('float'),
  dimensions: z.int().positive().optional(),
  user: z.string().optional(),
})
export type EmbeddingBody = z.output<typeof body>

export class ScriptedEmbeddings {
  readonly asked: EmbeddingBody[] = []
  readonly #meanings: readonly (readonly string[])[]
  readonly #key: string
  readonly #server: Server
  /** Answers of the next requests that are no 200. */
  readonly fails: number[] = []

  constructor(key: string, meanings: readonly (readonly string[])[]) {
    this.#key = key
    this.#meanings = meanings
    this.#server = createServer(async (request, response) => {
      const answer = (status: number, value: unknown): void => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
      }
      const refuse = (status: number, message: string): void =>
        answer(status, { error: { message, type: 'invalid_request_error', param: null, code: null } })
      const failure = this.fails.shift()
      const parsed = body.safeParse(await json(request))
      if (request.method !== 'POST' || request.url !== '/v1/embeddings') return refuse(404, 'no such path')
      if (request.headers.authorization !== `Bearer ${this.#key}`) return refuse(401, 'Incorrect API key provided')
      if (failure !== undefined) return refuse(failure, 'try again')
      if (!parsed.success) return refuse(400, parsed.error.message)
      this.asked.push(parsed.data)
      const { model, input, encoding_format: format } = parsed.data
      const data = input.map((text, index) => {
        const vector = this.#vector(text)
        const embedding = format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector]
        return { object: 'embedding', index, embedding }
      })
      // In no order that anybody promised.
      answer(200, { object: 'list', data: data.reverse(), model, usage: { prompt_tokens: 8, total_tokens: 8 } })
    })
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return this
  }

  get baseUrl(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('not started')
    return `http://127.0.0.1:${address.port}/v1`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #vector(text: string): Float32Array<ArrayBuffer> {
    const words = new Set(text.toLowerCase().match(/\p{L}+/gu))
    // The last part is what all texts have in common.
    return Float32Array.from([...this.#meanings.map((each) => (each.some((word) => words.has(word)) ? 1 : 0)), 0.05])
  }
}
