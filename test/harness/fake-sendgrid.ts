// SendGrid as the gateway meets it: POST /v3/mail/send, without idempotency.

import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { type Answered, FakeProvider, type Received } from './fake-provider.ts'

const address = z.strictObject({ email: z.email(), name: z.string().optional() })
const mail = z.strictObject({
  personalizations: z
    .array(z.strictObject({ to: z.array(address).min(1), custom_args: z.record(z.string(), z.string()).optional() }))
    .min(1),
  from: address,
  reply_to: address.optional(),
  subject: z.string().min(1),
  content: z.array(z.strictObject({ type: z.string(), value: z.string().min(1) })).min(1),
  headers: z.record(z.string(), z.string()).optional(),
})
export type SendGridMail = z.output<typeof mail>

const problem = (status: number, message: string, field: string | null = null): Answered => ({
  status,
  json: { errors: [{ message, field, help: null }] },
})

export class FakeSendGrid extends FakeProvider {
  readonly apiKey = 'SG.test.1'
  readonly sent: SendGridMail[] = []

  static async open(): Promise<FakeSendGrid> {
    return new FakeSendGrid().start()
  }

  protected answer({ method, path, headers, bytes }: Received): Answered {
    if (headers.authorization !== `Bearer ${this.apiKey}`)
      return problem(401, 'The provided authorization grant is invalid, expired, or revoked')
    if (method !== 'POST' || path !== '/v3/mail/send') return problem(404, 'not found')
    const parsed = mail.safeParse(JSON.parse(bytes.toString('utf8')))
    if (!parsed.success) {
      const [issue] = parsed.error.issues
      return problem(400, issue?.message ?? 'Bad Request', issue?.path.join('.') ?? null)
    }
    this.sent.push(parsed.data)
    return { status: 202, text: '', headers: { 'x-message-id': randomBytes(11).toString('base64url') } }
  }
}
