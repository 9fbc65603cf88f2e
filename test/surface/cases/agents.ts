// Agents, prompts, objects.

import type { Cases } from '../case.ts'

const agent = { is: 'byId', params: { id: 'agent' } } as const
const object = { is: 'byId', params: { id: 'object' } } as const
const file = {
  format: 'parley.agent',
  schemaVersion: 1,
  agent: { name: 'Imported', slug: 'imported' },
  config: { systemPrompt: 'Be kind.' },
}

export const agentCases: Cases = {
  'GET /v1/agents': { is: 'own' },
  'GET /v1/agents/by-slug/:slug': { is: 'byId', params: { slug: 'agentSlug' } },
  'GET /v1/agents/:id': agent,
  'GET /v1/agents/:id/prompt': agent,
  'POST /v1/agents': { is: 'own', body: { name: 'Another' } },
  'PATCH /v1/agents/:id': { ...agent, body: { name: 'Renamed' } },
  'DELETE /v1/agents/:id': agent,
  'POST /v1/agents/:id/activate': agent,
  'POST /v1/agents/:id/pause': agent,
  'POST /v1/agents/:id/archive': agent,
  'PUT /v1/agents/:id/draft': { ...agent, body: { config: { systemPrompt: 'Be brief.' } } },
  'POST /v1/agents/:id/deploy': { ...agent, body: { note: 'again' } },
  'POST /v1/agents/:id/rollback': { ...agent, body: { version: 1 } },
  'POST /v1/agents/:id/rollout': { ...agent, body: { version: 1, percent: 100 } },
  'GET /v1/agents/:id/versions': agent,
  'GET /v1/agents/:id/versions/:version': { is: 'byId', params: { id: 'agent', version: '=1' } },
  'GET /v1/agents/:id/diff': agent,
  'GET /v1/agents/:id/export': agent,
  'POST /v1/agents/import': { is: 'own', body: { file } },
  'GET /v1/prompts': { is: 'own' },
  'PUT /v1/prompts/:position': { is: 'own', params: { position: '=7' }, body: { name: 'Base', base: 'Be kind.' } },
  'DELETE /v1/prompts/:position': { is: 'own', params: { position: '=7' } },
  // Written by us, the same for every tenant.
  'GET /v1/system-knowledge': { is: 'own' },
  'GET /v1/system-knowledge/:slug': { is: 'own', params: { slug: '=nobodys' } },
  'GET /v1/objects': { is: 'own' },
  'GET /v1/objects/:id': object,
  'POST /v1/objects': { is: 'own', body: { type: 'chat_ref', subtype: 'conversation', name: 'Ref' } },
  'PATCH /v1/objects/:id': { ...object, body: { name: 'Renamed' } },
  'DELETE /v1/objects/:id': object,
}
