// Workflows by n8n: its production webhooks. It neither signs nor repeats, and knows no keys: what was lost on the way is not
// sent again. The id in the headers and the body is for the workflow, which may sort out repetitions by it.

import { Webhook } from 'standardwebhooks'
import { z } from 'zod'
import { askOutside, type Fetch } from './outside-call.ts'

export interface N8nNeeds {
  /** The guarded one: the tenant names the address. */
  readonly fetch: Fetch
  /** e.g. https://n8n.shop.example */
  readonly baseUrl: string
  /** Whole value of the `Authorization` header that the webhook's header auth asks for. Missing: it asks for none. */
  readonly authorization?: string | undefined
  /** Signs the body as Standard Webhooks says. Missing: it is not signed. */
  readonly signingSecret?: string | undefined
  readonly nowMs: () => number
}

export interface Trigger {
  /** Path of the webhook behind `/webhook/`. */
  readonly path: string
  readonly payload: Readonly<Record<string, unknown>>
  /** Of the run. */
  readonly key: string
  readonly signal: AbortSignal
}

export type Triggered =
  /** `answer`: what the workflow said, where it waits for its end; null: nothing. */
  | { readonly is: 'done'; readonly status: number; readonly answer: unknown }
  | { readonly is: 'refused'; readonly why: string }
  | { readonly is: 'unknown'; readonly why: string }

export interface WorkflowProvider {
  trigger(trigger: Trigger): Promise<Triggered>
}

/** A workflow that is answered when it is over takes its time. */
export const workflowTimeoutMs = 30_000
const maxAnswerChars = 8_000
const refusal = z.object({ message: z.string(), hint: z.string().optional() })

export function createN8n({ fetch, baseUrl, authorization, signingSecret, nowMs }: N8nNeeds): WorkflowProvider {
  return {
    async trigger({ path, payload, key, signal }) {
      const body = JSON.stringify(payload)
      const answer = await askOutside(fetch, {
        ...{
          method: 'POST',
          url: `${baseUrl.replace(/\/+$/, '')}/webhook/${path}`,
          signal,
          timeoutMs: workflowTimeoutMs,
        },
        headers: {
          'content-type': 'application/json',
          'idempotency-key': key,
          ...(authorization === undefined ? {} : { authorization }),
          ...(signingSecret === undefined ? {} : signed(signingSecret, { key, body, at: new Date(nowMs()) })),
        },
        body,
      })
      if (answer.is === 'unsent') return { is: 'refused', why: answer.why }
      if (answer.is === 'lost') return { is: 'unknown', why: answer.why }
      if (answer.status < 300) return { is: 'done', status: answer.status, answer: short(answer.json) }
      const said = refusal.safeParse(answer.json).data?.message
      const why = `the workflow answered ${answer.status}${said === undefined ? '' : `: ${said.slice(0, 200)}`}`
      // It ran into an error of its own, after who knows which of its steps.
      return { is: answer.status >= 500 ? 'unknown' : 'refused', why }
    },
  }
}

function signed(secret: string, on: { readonly key: string; readonly body: string; readonly at: Date }) {
  return {
    'webhook-id': on.key,
    'webhook-timestamp': String(Math.floor(on.at.getTime() / 1_000)),
    'webhook-signature': new Webhook(secret, { format: 'raw' }).sign(on.key, on.at, on.body),
  }
}

function short(answer: unknown): unknown {
  if (answer === undefined) return null
  const text = JSON.stringify(answer)
  return text.length <= maxAnswerChars ? answer : { omitted: `${text.length} characters` }
}
