// What agents can do.

import type { Cases } from '../case.ts'

const described = { kind: 'knowledge.search', description: 'Looks it up.' }

const server = { name: 'made-by-sweep', url: 'https://mcp.example.com/mcp' }
const hook = { url: 'https://hooks.example.com/parley', types: ['order.*'] }

export const toolCases: Cases = {
  'GET /v1/tools': { is: 'own' },
  'POST /v1/tools/draft': { is: 'own', body: { sentence: 'Looks up https://api.example.com/items?q=x' } },
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
  'GET /v1/mcp-processes': { is: 'own' },
  'GET /v1/mcp-servers': { is: 'own' },
  'POST /v1/mcp-servers': { is: 'own', body: server },
  'GET /v1/mcp-servers/:id': { is: 'byId', params: { id: 'mcpServer' } },
  'PATCH /v1/mcp-servers/:id': { is: 'byId', params: { id: 'mcpServer' }, body: { isOn: false } },
  'DELETE /v1/mcp-servers/:id': { is: 'byId', params: { id: 'mcpServer' } },
  'POST /v1/mcp-servers/:id/refresh': { is: 'byId', params: { id: 'mcpServer' } },
  'PATCH /v1/mcp-servers/:id/tools/:tool': {
    ...{ is: 'byId', params: { id: 'mcpServer', tool: '=shop__place_order' }, body: { state: 'off' } },
    noControl: 'no server lists its tools here',
  },
  'GET /v1/webhooks': { is: 'own' },
  'POST /v1/webhooks': { is: 'own', body: hook },
  'GET /v1/webhooks/:id': { is: 'byId', params: { id: 'webhook' } },
  'PATCH /v1/webhooks/:id': { is: 'byId', params: { id: 'webhook' }, body: { state: 'off' } },
  'DELETE /v1/webhooks/:id': { is: 'byId', params: { id: 'webhook' } },
  'POST /v1/webhooks/:id/secret': { is: 'byId', params: { id: 'webhook' } },
  'POST /v1/webhooks/:id/test': { is: 'byId', params: { id: 'webhook' } },
  'GET /v1/webhooks/:id/deliveries': { is: 'byId', params: { id: 'webhook' } },
  'POST /v1/webhooks/:id/deliveries/:delivery/again': {
    ...{ is: 'byId', params: { id: 'webhook', delivery: '=hdel_1' } },
    noControl: 'nothing was delivered from here',
  },
}
