// What agents can do.

import type { Cases } from '../case.ts'

const described = { kind: 'knowledge.search', description: 'Looks it up.' }

export const toolCases: Cases = {
  'GET /v1/tools': { is: 'own' },
  'POST /v1/tools/test': {
    is: 'own',
    body: {
      descriptor: { kind: 'http', description: 'Finds it.', spec: { url: 'parley:/v1/products/stats' } },
      arguments: {},
    },
  },
  'GET /v1/tools/:name': { is: 'byId', params: { name: 'toolName' } },
  'PUT /v1/tools/:name': { is: 'own', params: { name: '=made_by_the_sweep' }, body: described },
  'DELETE /v1/tools/:name': { is: 'byId', params: { name: 'toolName' } },
}
