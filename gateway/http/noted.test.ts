import { expect, test } from 'vitest'
import type { AuditOutcome, NewAuditEntry } from '../identity/identity.ts'
import type { Actor } from '../platform/access.ts'
import { type Route, type RouteReply, route } from '../platform/http.ts'
import { asTenantId } from '../platform/ids.ts'
import { createLog } from '../platform/log.ts'
import { Problem } from '../platform/problem.ts'
import { type Change, changeOf, noting } from './noted.ts'

const tenantId = asTenantId('ten_1')
const actor: Actor = { kind: 'operator', id: 'op_1', name: 'O' }
const facts = { ip: '10.0.0.1', origin: undefined, userAgent: '', header: () => undefined }

/** Writes down in which order what happens. */
function setup(
  run: () => Promise<RouteReply>,
  own: { endFails?: boolean; beginFails?: boolean; audit?: 'refusals' } = {},
) {
  const told: string[] = []
  const audit = {
    async begin(entry: NewAuditEntry) {
      if (own.beginFails === true) throw new Error('the store is down')
      told.push(`begin ${entry.ability} ${entry.route} ${entry.target}`)
      return 'aud_1'
    },
    async end(id: string, { outcome, status, code, target }: AuditOutcome & { target: string | null }) {
      if (own.endFails === true) throw new Error('the store is down')
      told.push(`end ${id} ${outcome} ${status} ${code} ${target}`)
    },
    record: async () => undefined,
    list: async () => ({ items: [], next: null }),
    export: async function* () {},
  }
  const deps = {
    audit: { of: () => audit },
    log: createLog('silent'),
    onChange: async ({ resource, action, id }: Change) => void told.push(`change ${resource}.${action} ${id}`),
  }
  const each: Route = route({
    method: 'POST',
    path: '/v1/things/:id/turn',
    access: 'agents.write',
    summary: 's',
    ...(own.audit === undefined ? {} : { audit: own.audit }),
    run: async () => {
      told.push('run')
      return run()
    },
  })
  const noted = { route: each, facts, params: { id: 'x1' }, caller: { tenantId, actor, auth: undefined } }
  return {
    told,
    call: () => noting(deps, noted)(async () => ({ answer: await each.run({} as never), status: 200 })),
  }
}

test('[S001-28] the entry is written before the change, its outcome and the event before the answer', async () => {
  const it = setup(async () => ({ json: { id: 'made' } }))
  await it.call()
  expect(it.told).toEqual([
    'begin agents.write /v1/things/:id/turn x1',
    'run',
    'end aud_1 done 200 null x1',
    'change things.turn x1',
  ])
})

test('what has a record of its own is in the log only when it was refused', async () => {
  const it = setup(async () => ({ json: { id: 'made' } }), { audit: 'refusals' })
  await it.call()
  expect(it.told).toEqual(['run'])
})

test('[S001-28] nothing is changed where it cannot be written down', async () => {
  const it = setup(async () => ({}), { beginFails: true })
  await expect(it.call()).rejects.toThrow('the store is down')
  expect(it.told).toEqual([])
})

test('[S001-28] a refusal inside the route is one in the log, and no event', async () => {
  const it = setup(async () => {
    throw new Problem('forbidden')
  })
  await expect(it.call()).rejects.toMatchObject({ code: 'forbidden' })
  expect(it.told.slice(2)).toEqual(['end aud_1 refused 403 forbidden x1'])
})

test('[S001-28] a change whose outcome cannot be written stands, and stands in the log as begun', async () => {
  const it = setup(async () => ({ json: 1 }), { endFails: true })
  expect(await it.call()).toEqual({ json: 1 })
  expect(it.told).toEqual(['begin agents.write /v1/things/:id/turn x1', 'run', 'change things.turn x1'])
})

test.each([
  ['POST', '/v1/agents', 'agents.created'],
  ['POST', '/v1/agents/:id/deploy', 'agents.deploy'],
  ['PUT', '/v1/agents/:id/draft', 'agents-draft.updated'],
  ['PATCH', '/v1/tenant', 'tenant.updated'],
  ['DELETE', '/v1/roles/:id/policies/:policyId', 'roles-policies.deleted'],
  ['POST', '/v1/team/invitations', 'team-invitations.created'],
] as const)('%s %s is the change %s', (method, path, name) => {
  const { resource, action } = changeOf({ method, path }, { tenantId, actor, target: null })
  expect(`${resource}.${action}`).toBe(name)
})
