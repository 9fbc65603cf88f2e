// One attempt: signed as Standard Webhooks has it, sent through the guard, its outcome in words for a person.

import { Webhook } from 'standardwebhooks'
import type { Clock } from '../platform/clock.ts'
import type { FetchGuard } from '../platform/fetch-guard/fetch-guard.ts'
import { FetchProblem } from '../platform/fetch-guard/fetch-problem.ts'
import type { TenantId } from '../platform/ids.ts'
import { askedMs } from './webhook.ts'

export interface Message {
  /** `webhook-id`: the same with every attempt. */
  readonly id: string
  readonly body: string
}

export type Sent =
  | { readonly is: 'delivered'; readonly status: number }
  /** `gone`: the other side says that nobody is there any more. */
  | {
      readonly is: 'failed' | 'gone'
      readonly status: number | null
      readonly error: string
      readonly askedMs?: number | undefined
    }

export type Send = (
  target: { readonly tenantId: TenantId; readonly endpointId: string; readonly url: string; readonly secret: string },
  message: Message,
) => Promise<Sent>

/** An answer is not read: a status is all that is asked for. */
const limits = { maxBytes: 64 * 1024, totalMs: 10_000 }
const gone = 410

export function createSender({
  guard,
  clock,
}: {
  readonly guard: Pick<FetchGuard, 'fetch'>
  readonly clock: Clock
}): Send {
  return async ({ tenantId, endpointId, url, secret }, { id, body }) => {
    const at = new Date(clock.now())
    const headers = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': new Webhook(secret).sign(id, at, body),
    }
    try {
      const init = { method: 'POST', headers, body, redirect: 'manual' } as const
      const response = await guard.fetch(url, init, { tenantId, lane: `webhook:${endpointId}`, limits })
      await response.body?.cancel()
      const { status } = response
      if (response.ok) return { is: 'delivered', status }
      const error =
        status >= 300 && status < 400 ? 'It redirects: give the address itself.' : `It answers HTTP ${status}.`
      if (status === gone) return { is: 'gone', status, error }
      return { is: 'failed', status, error, askedMs: askedMs(response.headers.get('retry-after'), at.getTime()) }
    } catch (error) {
      if (error instanceof FetchProblem) return { is: 'failed', status: null, error: error.message }
      throw error
    }
  }
}
