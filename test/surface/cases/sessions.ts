// Live sessions, their doors, credits and usage.

import type { Cases } from '../case.ts'

const refuses = { is: 'refuses', status: 422 } as const
const days = { from: '2026-01-01', to: '2026-12-31' }

export const sessionCases: Cases = {
  'GET /v1/sessions': { is: 'own' },
  'GET /v1/sessions/:id': { is: 'byId', params: { id: 'session' } },
  'GET /v1/sessions/:id/transcript': { is: 'byId', params: { id: 'session' } },
  'GET /v1/sessions/:id/receipt': { is: 'byId', params: { id: 'session' } },
  'POST /v1/sessions/:id/end': { is: 'byId', params: { id: 'session' }, body: { reason: 'enough' } },
  'POST /v1/realtime/client_secrets': {
    is: 'own',
    body: { agent: 'agent-alpha' },
    references: [{ of: 'agentSlug', where: 'body', request: (agent) => ({ agent }) }],
  },
  'POST /v1/realtime/calls': { is: 'open', why: 'the bearer token names tenant and agent' },
  'POST /v1/realtime/calls/:id/hangup': { is: 'open', why: 'the bearer token must be of the call’s own tenant' },
  'GET /v1/realtime/ice': { is: 'open', why: 'tells the gateway’s own relays to whoever has a token' },
  'POST /v1/live/sessions/:id/hangup': { is: 'byId', params: { id: 'session' } },
  'POST /v1/live/sessions': refuses,
  'POST /v1/live/sessions/:id/fork': refuses,
  'GET /v1/live/sessions/:id/content': refuses,
  'POST /v1/live/sessions/:id/accept': refuses,
  'POST /v1/live/sessions/:id/reject': refuses,
  'POST /v1/live/sessions/:id/refer': refuses,
  'POST /v1/livekit/sessions': {
    is: 'open',
    why: 'the bearer token names tenant and agent; rooms are the tenant’s own',
  },
  'POST /v1/livekit/webhooks': { is: 'open', why: 'signed by the LiveKit server' },
  'GET /v1/credits': { is: 'own' },
  'GET /v1/credits/entries': { is: 'own' },
  'GET /v1/credits/entries.csv': { is: 'own' },
  'GET /v1/usage/days': { is: 'own', query: days },
  'GET /v1/usage/people': { is: 'own', query: days },
}
