// What is kept: events, executions, what is shown to everybody.

import type { Cases } from '../case.ts'

const shown = { is: 'open', why: 'what a tenant shows to everybody, by its slug' } as const

const note = '# Handbook'

export const recordCases: Cases = {
  'GET /v1/knowledge/sources': { is: 'own' },
  'GET /v1/knowledge/sources/:id': { is: 'byId', params: { id: 'knowledgeSource' } },
  'POST /v1/knowledge/sources': { is: 'own', query: { name: 'handbook.md' }, body: note },
  'POST /v1/knowledge/sources/from-url': { is: 'own', body: { url: 'https://shop.example/faq' } },
  'POST /v1/knowledge/sources/:id/reindex': { is: 'byId', params: { id: 'knowledgeSource' } },
  'DELETE /v1/knowledge/sources/:id': { is: 'byId', params: { id: 'knowledgeSource' } },
  'POST /v1/knowledge/reindex': { is: 'own' },
  'GET /v1/knowledge/progress': { is: 'own' },
  'GET /v1/knowledge/search': { is: 'own', query: { q: 'handbook' } },
  'GET /v1/events': {
    is: 'own',
    references: [
      { of: 'session', where: 'query', status: 200, request: (entityId) => ({ entityType: 'session', entityId }) },
    ],
  },
  'GET /v1/events/types': { is: 'own' },
  'GET /v1/events/:id': { is: 'byId', params: { id: 'event' } },
  'POST /v1/events': { is: 'own', body: { type: 'order.made', payload: {} } },
  'GET /v1/approvals': { is: 'own' },
  'GET /v1/approvals/:id': { is: 'byId', params: { id: 'approval' } },
  'POST /v1/approvals/:id/approve': { is: 'byId', params: { id: 'approval' }, body: { note: 'Fine.' } },
  'POST /v1/approvals/:id/reject': { is: 'byId', params: { id: 'approval' }, body: { reason: 'No.' } },
  'POST /v1/approvals/:id/undo': { is: 'byId', params: { id: 'approval' } },
  'GET /v1/executions': { is: 'own' },
  'GET /v1/executions/stats': { is: 'own' },
  'GET /v1/executions/:id': { is: 'byId', params: { id: 'execution' } },
  'GET /v1/products/search': { is: 'own' },
  'GET /v1/products/stats': { is: 'own' },
  'GET /v1/public/:tenant/products': shown,
  'GET /v1/public/:tenant/products/stats': shown,
  'GET /v1/public/:tenant/event': shown,
  'GET /v1/public/:tenant/event/speakers': shown,
  'GET /v1/public/:tenant/event/sessions': shown,
}
