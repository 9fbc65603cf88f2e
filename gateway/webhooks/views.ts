// What the routes of webhooks answer with.

import { z } from 'zod'
import type { Delivery } from './delivery-store.ts'
import type { Endpoint } from './endpoint-store.ts'
import { deliveryStates, endpointStates } from './webhook.ts'

const moment = z.iso.datetime().nullable()

const fields = {
  ...{ id: z.string(), url: z.string(), description: z.string(), types: z.array(z.string()) },
  state: z.enum(endpointStates).describe('`failed`: switched off by the gateway, `error` says why.'),
  error: z.string().nullable(),
  failures: z.int().describe('Since the last success.'),
  ...{ failingSince: moment, lastSuccessAt: moment, createdAt: z.iso.datetime() },
}
export const webhookView = z.strictObject(fields).meta({ id: 'Webhook' })
export const newWebhookReply = z.strictObject({ ...fields, secret: z.string().describe('Shown here only.') })
export const secretReply = z.strictObject({ secret: z.string().describe('Shown here only.') })
export const testReply = z.strictObject({
  delivered: z.boolean(),
  status: z.int().nullable().describe('Of the answer; null: there was none.'),
  error: z.string().nullable(),
})
export const deliveryView = z
  .strictObject({
    id: z.string().describe('The `webhook-id` of every attempt.'),
    ...{ eventId: z.string(), type: z.string(), state: z.enum(deliveryStates), attempts: z.int() },
    ...{ status: z.int().nullable(), error: z.string().nullable(), nextAt: moment, at: z.iso.datetime() },
  })
  .meta({ id: 'WebhookDelivery' })

const iso = (at: Date | null) => at?.toISOString() ?? null

export function presentWebhook(endpoint: Endpoint): z.output<typeof webhookView> {
  const { id, url, description, types, state, error, failures, failingSince, lastSuccessAt, createdAt } = endpoint
  return {
    ...{ id, url, description, types: [...types], state, error, failures },
    ...{ failingSince: iso(failingSince), lastSuccessAt: iso(lastSuccessAt), createdAt: createdAt.toISOString() },
  }
}

export function presentDelivery({ endpointId: _, nextAt, at, ...rest }: Delivery): z.output<typeof deliveryView> {
  return { ...rest, nextAt: iso(nextAt), at: at.toISOString() }
}
