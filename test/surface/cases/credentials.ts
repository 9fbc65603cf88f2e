// Sign-in, team, keys, the tenant itself.

import type { Cases } from '../case.ts'

export const credentialCases: Cases = {
  'POST /v1/widget/bootstrap': {
    is: 'open',
    why: 'the site key names the tenant, the page’s origin must be one of its own',
  },
  'POST /v1/console/sign-in': { is: 'open', why: 'the one-time token names the person' },
  'POST /v1/console/sign-out': { is: 'open', why: 'ends the own session' },
  'GET /v1/console/me': { is: 'open', why: 'the own account' },
  'PATCH /v1/console/me': { is: 'open', why: 'the own account' },
  'GET /v1/team/invitations': { is: 'own' },
  'POST /v1/team/invitations': { is: 'own', body: { email: 'new@example.com', roles: ['client'] } },
  'DELETE /v1/team/invitations/:id': { is: 'byId', params: { id: 'invitation' } },
  'POST /v1/team/invitations/accept': { is: 'open', why: 'the one-time token names tenant and roles' },
  'GET /v1/team': { is: 'own' },
  'GET /v1/team/:id': { is: 'byId', params: { id: 'member' } },
  'PATCH /v1/team/:id': { is: 'byId', params: { id: 'member' }, body: { roles: ['operator'] } },
  'DELETE /v1/team/:id': { is: 'byId', params: { id: 'member' } },
  'GET /v1/site-keys': { is: 'own' },
  // The slug is looked for in the key's own tenant when the key is used: another tenant's is nobody's.
  'POST /v1/site-keys': { is: 'own', body: { label: 'Shop', agentSlug: 'agent-alpha' } },
  'POST /v1/site-keys/:id/revoke': { is: 'byId', params: { id: 'siteKey' } },
  'GET /v1/api-keys': { is: 'own' },
  'POST /v1/api-keys': { is: 'own', body: { label: 'Server' } },
  'POST /v1/api-keys/:id/revoke': { is: 'byId', params: { id: 'apiKey' } },
  'GET /v1/secrets': { is: 'own' },
  // The same name is another secret in each tenant.
  'PUT /v1/secrets/:name': { is: 'own', params: { name: '=PLANTED' }, body: { value: 'of the own tenant' } },
  'DELETE /v1/secrets/:name': { is: 'byId', params: { name: 'secretName' } },
  'GET /v1/tenant': { is: 'own' },
  'POST /v1/tenant/status': { is: 'own', body: { status: 'active' } },
}
