// Entity types, entities of every type, and what links them.

import type { Cases } from '../case.ts'

const schema = { type: 'object', properties: { name: { type: 'string' } } }
const friend = { relation: 'knows', to: { type: 'speaker', id: 'friend' } }
const speaker = { type: '=speaker', id: 'entity' } as const

export const entityCases: Cases = {
  'GET /v1/entity-types': { is: 'own' },
  'GET /v1/entity-types/:slug': { is: 'byId', params: { slug: 'entityType' } },
  'POST /v1/entity-types': { is: 'own', body: { slug: 'invoice', name: 'Invoice', schema } },
  'PATCH /v1/entity-types/:slug': { is: 'byId', params: { slug: 'entityType' }, body: { name: 'Other' } },
  'DELETE /v1/entity-types/:slug': { is: 'byId', params: { slug: 'entityType' } },
  'GET /v1/entities/:type': { is: 'byId', params: { type: 'entityType' } },
  'POST /v1/entities/:type': { is: 'byId', params: { type: 'entityType' }, body: { data: { name: 'Ann' } } },
  'GET /v1/entities/:type/:id': { is: 'byId', params: speaker },
  'PATCH /v1/entities/:type/:id': { is: 'byId', params: speaker, body: { data: { title: 'Dr' } } },
  'DELETE /v1/entities/:type/:id': { is: 'byId', params: speaker },
  'GET /v1/entities/:type/:id/relations': { is: 'byId', params: speaker },
  'PUT /v1/entities/:type/:id/relations': {
    is: 'byId',
    params: speaker,
    body: friend,
    references: [
      { of: 'entity', where: 'body', request: (id) => ({ ...friend, to: { type: 'speaker', id } }) },
      { of: 'entityType', where: 'body', request: (type) => ({ ...friend, to: { type, id: 'friend' } }) },
    ],
  },
  'DELETE /v1/entities/:type/:id/relations': {
    is: 'byId',
    params: speaker,
    query: { relation: 'knows', toType: 'speaker', to: 'friend' },
    references: [{ of: 'entity', where: 'query', request: (to) => ({ relation: 'knows', toType: 'speaker', to }) }],
  },
}
