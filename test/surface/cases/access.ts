// Roles, policies, what is given for one thing only, keys one by one, the audit log, the operator's own tenants.

import type { Cases } from '../case.ts'

const policy = { resource: 'sessions', action: 'read', effect: 'allow' }

export const accessCases: Cases = {
  'GET /v1/api-keys/:id': { is: 'byId', params: { id: 'apiKey' } },
  'PATCH /v1/api-keys/:id': { is: 'byId', params: { id: 'apiKey' }, body: { label: 'Renamed' } },
  'DELETE /v1/api-keys/:id': { is: 'byId', params: { id: 'apiKey' } },
  'GET /v1/roles': { is: 'own' },
  'GET /v1/roles/by-name/:name': { is: 'byId', params: { name: 'roleName' } },
  'GET /v1/roles/:id': { is: 'byId', params: { id: 'role' } },
  'POST /v1/roles': {
    is: 'own',
    body: { name: 'made-by-the-sweep' },
    references: [
      {
        of: 'policy',
        where: 'body',
        request: (id) => ({ name: 'with-a-foreign-policy', policyIds: [id] }),
        status: 400,
      },
    ],
  },
  'PATCH /v1/roles/:id': { is: 'byId', params: { id: 'role' }, body: { description: 'Changed' } },
  'DELETE /v1/roles/:id': { is: 'byId', params: { id: 'role' } },
  'PUT /v1/roles/:id/policies/:policyId': { is: 'byId', params: { id: 'role', policyId: 'policy' } },
  'DELETE /v1/roles/:id/policies/:policyId': {
    is: 'byId',
    params: { id: 'role', policyId: 'policy' },
    besideOwn: 204,
  },
  'GET /v1/roles/assignments': { is: 'own' },
  'POST /v1/roles/assignments': {
    is: 'own',
    body: { operatorId: 'nobody', role: 'client', scope: { of: 'agent', id: 'agt_any' } },
    references: [
      {
        of: 'member',
        where: 'body',
        request: (operatorId) => ({ operatorId, role: 'client', scope: { of: 'agent', id: 'agt_any' } }),
      },
    ],
  },
  'DELETE /v1/roles/assignments/:id': { is: 'byId', params: { id: 'assignment' } },
  'GET /v1/policies': { is: 'own' },
  'GET /v1/policies/:id': { is: 'byId', params: { id: 'policy' } },
  'POST /v1/policies': { is: 'own', body: policy },
  'PUT /v1/policies/:id': { is: 'byId', params: { id: 'policy' }, body: policy },
  'DELETE /v1/policies/:id': { is: 'byId', params: { id: 'policy' } },
  'GET /v1/audit': { is: 'own' },
  'GET /v1/audit/export': { is: 'own' },
  'PATCH /v1/tenant': { is: 'own', body: { timezone: 'Europe/Zurich' } },
  'POST /v1/tenants': { is: 'open', why: 'makes a tenant of the operator’s own' },
  'GET /v1/tenants': { is: 'open', why: 'the operator’s own tenants' },
  'GET /v1/tenants/by-slug/:slug': { is: 'open', why: 'found among the operator’s own tenants only' },
  'GET /v1/tenants/:id': { is: 'open', why: 'found among the operator’s own tenants only' },
}
