// HTTP of API keys: shown once when they are made, scoped, revoked.

import { z } from 'zod'
import { abilities } from '../platform/access.ts'
import { type Route, route } from '../platform/http.ts'
import { pageOf } from '../platform/page.ts'
import type { Identity } from './identity.ts'
import { apiKeyView, newApiKeyReply } from './views.ts'

const byId = z.object({ id: z.string().min(1).max(64) })
const label = z.string().trim().min(1).max(80)
const choice = {
  scopes: z.array(z.enum(abilities)).max(abilities.length).describe('What it may do; left out: what keys usually may.'),
  agentIds: z.array(z.string().min(1).max(64)).max(50).describe('What has to do with agents, for these only.'),
  expiresAt: z.iso.datetime({ offset: true }).transform((text) => new Date(text)),
}

export function apiKeyRoutes(identity: Identity): Route[] {
  return [...reads(identity), ...writes(identity)]
}

function reads(identity: Identity): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/api-keys',
      access: 'keys.read',
      reply: pageOf(apiKeyView),
      summary: 'The tenant’s API keys, newest first, without their secrets',
      run: async ({ tenantId }) => ({ json: { items: await identity.apiKeys(tenantId), next: null } }),
    }),
    route({
      method: 'GET',
      path: '/v1/api-keys/:id',
      access: 'keys.read',
      reply: apiKeyView,
      summary: 'One API key, without its secret',
      params: byId,
      run: async ({ tenantId, params }) => ({ json: await identity.apiKey(tenantId, params.id) }),
    }),
  ]
}

function writes(identity: Identity): Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/api-keys',
      access: 'keys.write',
      reply: newApiKeyReply,
      status: 201,
      summary: 'Makes an API key; `key` is shown this once. Nobody gives a key more than they have',
      body: z.strictObject({
        label,
        scopes: choice.scopes.optional(),
        role: z.string().min(1).max(64).optional().describe('It has what this role gives, within `scopes`.'),
        agentIds: choice.agentIds.optional(),
        expiresAt: choice.expiresAt.optional(),
      }),
      async run({ tenantId, body, auth }) {
        const { scopes = null, role = null, agentIds = [], expiresAt = null } = body
        const chosen = { scopes, role, agentIds, expiresAt, by: auth }
        const { raw, view } = await identity.createApiKey(tenantId, body.label, chosen)
        return { json: { ...view, key: raw }, headers: { 'cache-control': 'no-store' } }
      },
    }),
    route({
      method: 'PATCH',
      path: '/v1/api-keys/:id',
      access: 'keys.write',
      reply: apiKeyView,
      summary: 'Changes the label, the scopes, the agents or the end of an API key; counts from its next request on',
      params: byId,
      body: z.strictObject({
        label: label.optional(),
        scopes: choice.scopes.optional(),
        agentIds: choice.agentIds.optional(),
        expiresAt: choice.expiresAt.nullable().optional(),
      }),
      run: async ({ tenantId, params, body, auth }) => ({
        json: await identity.updateApiKey(tenantId, params.id, { ...body, by: auth }),
      }),
    }),
    route({
      method: 'POST',
      path: '/v1/api-keys/:id/revoke',
      access: 'keys.write',
      reply: apiKeyView,
      summary: 'Revokes an API key; its live sessions end within seconds',
      params: byId,
      run: async ({ tenantId, params }) => ({ json: await identity.revokeApiKey(tenantId, params.id) }),
    }),
    route({
      method: 'DELETE',
      path: '/v1/api-keys/:id',
      access: 'keys.write',
      summary: 'Removes an API key altogether; its live sessions end within seconds',
      params: byId,
      async run({ tenantId, params }) {
        await identity.removeApiKey(tenantId, params.id)
        return {}
      },
    }),
  ]
}
