// Resend as the gateway meets it: POST /emails with idempotency keys, GET /emails/:id.

import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { type Answered, FakeProvider, KeyedAnswers, type Received } from './fake-provider.ts'

const email = z.strictObject({
  from: z.string().regex(/@/),
  to: z.array(z.email()).min(1).max(50),
  subject: z.string(),
  text: z.string().optional(),
  html: z.string().optional(),
  reply_to: z.union([z.string(), z.array(z.string())]).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  tags: z.array(z.strictObject({ name: z.string(), value: z.string() })).optional(),
})
export type ResendEmail = z.output<typeof email> & { readonly id: string; lastEvent: string }

const problem = (status: number, name: string, message: string): Answered => ({
  status,
  json: { statusCode: status, name, message },
})

export class FakeResend extends FakeProvider {
  readonly apiKey = 're_test_1'
  /** What people got. */
  readonly sent: ResendEmail[] = []
  readonly #keys = new KeyedAnswers()

  static async open(): Promise<FakeResend> {
    return new FakeResend().start()
  }

  protected answer({ method, path, headers, bytes }: Received): Answered {
    if (headers.authorization !== `Bearer ${this.apiKey}`) return problem(401, 'validation_error', 'API key is invalid')
    const id = /^\/emails\/([\w-]+)$/.exec(path)?.[1]
    if (method === 'GET' && id !== undefined) return this.#find(id)
    if (method !== 'POST' || path !== '/emails') return problem(404, 'not_found', 'Not found')
    const body = bytes.toString('utf8')
    const key = headers['idempotency-key']
    if (typeof key !== 'string') return this.#take(body)
    if (key.length > 256) return problem(400, 'invalid_idempotency_key', 'Must be between 1-256 chars.')
    const known = this.#keys.of(key, body)
    if (known === 'other')
      return problem(409, 'invalid_idempotent_request', 'Same idempotency key used with a different request payload')
    if (known !== undefined) return known
    const answer = this.#take(body)
    return answer.status === 200 ? this.#keys.keep(key, body, answer) : answer
  }

  #take(body: string): Answered {
    const parsed = email.safeParse(JSON.parse(body))
    if (!parsed.success) return problem(422, 'validation_error', JSON.stringify(parsed.error.issues[0]))
    const id = randomUUID()
    this.sent.push({ ...parsed.data, id, lastEvent: 'sent' })
    return { status: 200, json: { id } }
  }

  #find(id: string): Answered {
    const found = this.sent.find((each) => each.id === id)
    if (found === undefined) return problem(404, 'not_found', 'Email not found')
    const { from, to, subject, lastEvent } = found
    return { status: 200, json: { object: 'email', id, from, to, subject, last_event: lastEvent } }
  }
}
