// E-mail by Resend. The same Idempotency-Key within 24 hours is the same message.

import { z } from 'zod'
import {
  type DeliveryState,
  type Email,
  type EmailProvider,
  emailTimeoutMs,
  notSent,
  type Sending,
  unsubscribeHeaders,
} from './email.ts'
import { askKeyed, askOutside, type Fetch } from './outside-call.ts'

const created = z.object({ id: z.string().min(1).max(200) })
const refusal = z.object({ name: z.string().optional(), message: z.string() })
const message = z.object({ last_event: z.string().max(60).nullish() })

export interface ResendNeeds {
  readonly fetch: Fetch
  /** https://api.resend.com */
  readonly baseUrl: string
  readonly apiKey: string
}

export function createResend({ fetch, baseUrl, apiKey }: ResendNeeds): EmailProvider {
  const headers = { authorization: `Bearer ${apiKey}`, 'user-agent': 'parley' }
  return {
    name: 'resend',
    knowsKeys: true,
    async send(email, { key, signal }): Promise<Sending> {
      const answer = await askKeyed(fetch, {
        ...{ method: 'POST', url: `${baseUrl}/emails`, signal, timeoutMs: emailTimeoutMs },
        headers: { ...headers, 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify(bodyOf(email)),
      })
      const sent = answer.is === 'answered' && answer.status < 300 ? created.safeParse(answer.json) : undefined
      if (sent?.success === true) return { is: 'sent', providerId: sent.data.id }
      const said = answer.is === 'answered' ? refusal.safeParse(answer.json) : undefined
      // The first request with this key is still at work: it is being sent.
      if (said?.data?.name === 'concurrent_idempotent_requests') return { is: 'unknown', why: said.data.message }
      return notSent(answer, said?.data?.message)
    },
    async state(providerId, signal): Promise<DeliveryState> {
      const url = `${baseUrl}/emails/${encodeURIComponent(providerId)}`
      const answer = await askOutside(fetch, { method: 'GET', url, headers, signal, timeoutMs: emailTimeoutMs })
      const found = answer.is === 'answered' && answer.status === 200 ? message.safeParse(answer.json) : undefined
      const state = found?.data?.last_event
      return state === undefined || state === null ? { is: 'unknown' } : { is: 'known', state }
    },
  }
}

function bodyOf(email: Email): object {
  const { from, to, subject, text, replyTo } = email
  const headers = unsubscribeHeaders(email)
  return {
    ...{ from, to: [to], subject, text },
    ...(replyTo === undefined ? {} : { reply_to: replyTo }),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
  }
}
