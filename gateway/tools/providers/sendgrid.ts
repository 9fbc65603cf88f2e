// E-mail by SendGrid. It knows no idempotency keys: what was lost on the way is never sent again.

import { z } from 'zod'
import { type Email, type EmailProvider, emailTimeoutMs, notSent, type Sending, unsubscribeHeaders } from './email.ts'
import { askOutside, type Fetch } from './outside-call.ts'

const refusal = z.object({ errors: z.array(z.object({ message: z.string() })).min(1) })

export interface SendGridNeeds {
  readonly fetch: Fetch
  /** https://api.sendgrid.com */
  readonly baseUrl: string
  readonly apiKey: string
}

export function createSendGrid({ fetch, baseUrl, apiKey }: SendGridNeeds): EmailProvider {
  return {
    name: 'sendgrid',
    knowsKeys: false,
    async send(email, { key, signal }): Promise<Sending> {
      const answer = await askOutside(fetch, {
        ...{ method: 'POST', url: `${baseUrl}/v3/mail/send`, signal, timeoutMs: emailTimeoutMs },
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify(bodyOf(email, key)),
      })
      if (answer.is === 'answered' && answer.status === 202)
        return { is: 'sent', providerId: answer.headers.get('x-message-id') ?? '' }
      const said = answer.is === 'answered' ? refusal.safeParse(answer.json) : undefined
      return notSent(answer, said?.data?.errors[0]?.message)
    },
    // Its activity is an add-on that most accounts do not have.
    state: async () => ({ is: 'unknown' }),
  }
}

/** `"Shop" <hello@shop.example>` or the address alone. */
function addressOf(text: string): { email: string; name?: string } {
  const [, name = '', email = text] = /^\s*"?([^"<]*?)"?\s*<([^<>]+)>\s*$/.exec(text) ?? []
  return name === '' ? { email: email.trim() } : { email, name }
}

function bodyOf(email: Email, key: string): object {
  const headers = unsubscribeHeaders(email)
  return {
    // What its webhooks and its activity show of the message: by this it is found again.
    personalizations: [{ to: [{ email: email.to }], custom_args: { parley_key: key } }],
    from: addressOf(email.from),
    ...(email.replyTo === undefined ? {} : { reply_to: addressOf(email.replyTo) }),
    subject: email.subject,
    content: [{ type: 'text/plain', value: email.text }],
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
  }
}
