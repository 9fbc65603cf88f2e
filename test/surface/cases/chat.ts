// Messages, conversations, contacts.

import type { Cases } from '../case.ts'

const conversation = { is: 'byId', params: { id: 'conversation' } } as const
const hello = { message: 'Hello' }
const said = { messages: [{ role: 'user', content: 'Hello' }] }

export const chatCases: Cases = {
  'POST /v1/chat': {
    is: 'own',
    body: { ...hello, agentId: 'nobodys' },
    references: [
      { of: 'agent', where: 'body', request: (agentId) => ({ ...hello, agentId }) },
      { of: 'conversation', where: 'body', request: (threadId) => ({ ...hello, agentId: 'nobodys', threadId }) },
    ],
  },
  'POST /v1/agents/:slug/chat': { is: 'byId', params: { slug: 'agentSlug' }, body: hello },
  'GET /v1/conversations': {
    is: 'own',
    references: [
      { of: 'agent', where: 'query', status: 200, request: (agentId) => ({ agentId }) },
      { of: 'contact', where: 'query', status: 200, request: (contactId) => ({ contactId }) },
    ],
  },
  'GET /v1/conversations/:id': conversation,
  'GET /v1/conversations/by-external/:externalId': { is: 'byId', params: { externalId: 'externalThread' } },
  'GET /v1/conversations/:id/messages': conversation,
  'POST /v1/conversations': {
    is: 'own',
    body: { agentId: 'nobodys' },
    references: [{ of: 'agent', where: 'body', request: (agentId) => ({ agentId }) }],
  },
  'POST /v1/conversations/:id/messages': { ...conversation, body: said },
  'PATCH /v1/conversations/:id': { ...conversation, body: { metadata: { seen: true } } },
  'POST /v1/conversations/:id/hand-off': conversation,
  'POST /v1/conversations/:id/close': conversation,
  'DELETE /v1/conversations/:id': conversation,
  'GET /v1/agents/:id/activity': { is: 'byId', params: { id: 'agent' } },
  'GET /v1/contacts': { is: 'own' },
  'GET /v1/contacts/:id': { is: 'byId', params: { id: 'contact' } },
}
