// Webhooks over HTTP: made, changed, tried, and what was delivered.

import { z } from 'zod'
import { type Route, route } from '../platform/http.ts'
import { pageOf, pageQuery } from '../platform/page.ts'
import * as views from './views.ts'
import { typePattern } from './webhook.ts'
import type { Webhooks } from './webhooks.ts'

const byId = z.strictObject({ id: z.string().min(1).max(64) })
const fields = {
  url: z.url({ protocol: /^https?$/ }).max(2_000),
  types: z.array(typePattern).min(1).max(50).describe('Of events: order.placed, order.* or *.'),
  description: z.string().max(200),
}

export function webhookRoutes({ webhooks }: { readonly webhooks: Webhooks }): Route[] {
  return [...endpointRoutes(webhooks), ...deliveryRoutes(webhooks)]
}

function endpointRoutes(webhooks: Webhooks): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/webhooks',
      access: 'webhooks.read',
      summary: 'Addresses that are told what happens.',
      query: z.strictObject(pageQuery),
      reply: pageOf(views.webhookView),
      async run({ tenantId, query }) {
        const { items, next } = await webhooks.of(tenantId).list(query)
        return { json: { items: items.map(views.presentWebhook), next } }
      },
    }),
    route({
      method: 'POST',
      path: '/v1/webhooks',
      access: 'webhooks.write',
      status: 201,
      summary:
        'Makes a webhook. What happens is sent as Standard Webhooks have it: at least once, with the same `webhook-id` each time, in no promised order, and tried again for a day.',
      body: z.strictObject({ ...fields, description: fields.description.default('') }),
      reply: views.newWebhookReply,
      async run({ tenantId, body }) {
        const { endpoint, secret } = await webhooks.of(tenantId).create(body)
        return { json: { ...views.presentWebhook(endpoint), secret } }
      },
    }),
    route({
      method: 'GET',
      path: '/v1/webhooks/:id',
      access: 'webhooks.read',
      summary: 'One webhook.',
      params: byId,
      reply: views.webhookView,
      run: async ({ tenantId, params }) => ({ json: views.presentWebhook(await webhooks.of(tenantId).get(params.id)) }),
    }),
    route({
      method: 'PATCH',
      path: '/v1/webhooks/:id',
      access: 'webhooks.write',
      summary: 'Changes a webhook, or switches it off and on; one that failed begins anew.',
      params: byId,
      body: z.strictObject({ ...fields, state: z.enum(['on', 'off']) }).partial(),
      reply: views.webhookView,
      run: async ({ tenantId, params, body }) => ({
        json: views.presentWebhook(await webhooks.of(tenantId).change(params.id, body)),
      }),
    }),
    route({
      method: 'DELETE',
      path: '/v1/webhooks/:id',
      access: 'webhooks.write',
      summary: 'Removes a webhook and what waited for it.',
      params: byId,
      async run({ tenantId, params }) {
        await webhooks.of(tenantId).remove(params.id)
        return {}
      },
    }),
    route({
      method: 'POST',
      path: '/v1/webhooks/:id/secret',
      access: 'webhooks.write',
      summary: 'Makes a new signing secret; the one before is not used any more.',
      params: byId,
      reply: views.secretReply,
      run: async ({ tenantId, params }) => ({ json: { secret: await webhooks.of(tenantId).newSecret(params.id) } }),
    }),
  ]
}

function deliveryRoutes(webhooks: Webhooks): Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/webhooks/:id/test',
      access: 'webhooks.write',
      summary: 'Sends one message of type `webhook.test` and tells what came of it.',
      params: byId,
      reply: views.testReply,
      async run({ tenantId, params }) {
        const sent = await webhooks.of(tenantId).test(params.id)
        const error = sent.is === 'delivered' ? null : sent.error
        return { json: { delivered: sent.is === 'delivered', status: sent.status, error } }
      },
    }),
    route({
      method: 'GET',
      path: '/v1/webhooks/:id/deliveries',
      access: 'webhooks.read',
      summary: 'What was sent, or is to be, in the last seven days; newest first.',
      params: byId,
      query: z.strictObject(pageQuery),
      reply: pageOf(views.deliveryView),
      async run({ tenantId, params, query }) {
        const { items, next } = await webhooks.of(tenantId).deliveries(params.id, query)
        return { json: { items: items.map(views.presentDelivery), next } }
      },
    }),
    route({
      method: 'POST',
      path: '/v1/webhooks/:id/deliveries/:delivery/again',
      access: 'webhooks.write',
      summary: 'Sends one delivery once more, with the same id.',
      params: byId.extend({ delivery: z.string().min(1).max(64) }),
      reply: views.deliveryView,
      run: async ({ tenantId, params }) => ({
        json: views.presentDelivery(await webhooks.of(tenantId).again(params.id, params.delivery)),
      }),
    }),
  ]
}
