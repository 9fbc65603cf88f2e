// The gateway itself.

import type { Cases } from '../case.ts'

const state = { is: 'open', why: 'the state of the gateway' } as const

export const gatewayCases: Cases = {
  'GET /health/live': state,
  'GET /health/ready': state,
  'GET /health': state,
  'GET /v1/demo/tenants': { is: 'open', why: 'the demo page’s own tenants' },
  'GET /v1/openapi.json': { is: 'open', why: 'says what there is, not what is in it' },
}
