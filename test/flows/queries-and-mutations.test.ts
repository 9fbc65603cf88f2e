// Every query and every mutation of the inventory is there, refuses who may not, reads nothing that does not fit, and a
// mutation is written down with who did it.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import type { Route } from '../../gateway/platform/http.ts'
import { type SignedIn, signIn } from '../harness/sign-in.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'
import { ask, Things } from '../surface/ask.ts'
import { cases } from '../surface/cases.ts'
import { nameOf } from '../surface/check-cases.ts'
import { openPlace, type Place } from '../surface/plant.ts'
import { mutations, queries } from '../surface/queries-and-mutations.ts'

let gateway: TestGateway
let alpha: Place
/** Of the tenant, with a role that gives nothing. */
let powerless: SignedIn
beforeAll(async () => {
  gateway = await startGateway({ PARLEY_RATE_FACTOR: '10000', PARLEY_DEMO: 'false' })
  alpha = await openPlace(gateway, 'alpha')
  powerless = await signIn(gateway, 'a-role-nobody-made', 'alpha')
})
afterAll(() => gateway[Symbol.asyncDispose]())

function served(name: string): Route {
  const found = gateway.app.routes.find((route) => nameOf(route) === name)
  if (found === undefined) throw new Error(`no route ${name}`)
  return found
}

const isScoped = ({ access }: Route): boolean => access !== 'operator' && access !== 'public'
const unfit = { nothing: 'of this' }

async function refusals(route: Route): Promise<Record<string, number>> {
  const path = route.path.replaceAll(/:\w+/g, 'nobodys')
  const body = route.body === undefined || route.method === 'GET' ? undefined : unfit
  const nobody = await fetch(gateway.url + path, {
    method: route.method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })
  await nobody.arrayBuffer()
  return {
    nobody: nobody.status,
    ...(isScoped(route) ? { powerless: (await powerless.call(route.method, path, { body })).status } : {}),
    ...(body === undefined ? {} : { unfit: (await alpha.owner.call(route.method, path, { body })).status }),
  }
}

const expected = (route: Route): Record<string, number> => ({
  nobody: 401,
  ...(isScoped(route) ? { powerless: 403 } : {}),
  ...(route.body === undefined || route.method === 'GET' ? {} : { unfit: 400 }),
})

test.each(Object.entries(queries))('[S001-27] the query %s is there, for those who may: %s', async (_query, name) => {
  const route = served(name)
  expect(route.method).toBe('GET')
  expect(await refusals(route)).toEqual(expected(route))
})

test.each(Object.entries(mutations))(
  '[S001-28] the mutation %s is there, for those who may, and reads only what fits: %s',
  async (_mutation, name) => {
    const route = served(name)
    expect(route.method).not.toBe('GET')
    expect(await refusals(route)).toEqual(expected(route))
  },
)

const audit = z.object({
  items: z.array(
    z.looseObject({ route: z.string().nullable(), method: z.string().nullable(), actor: z.object({ id: z.string() }) }),
  ),
})

test('[S001-28] every mutation of a tenant is in its audit log, with who did it', async () => {
  const own = new Things(alpha)
  const missing: string[] = []
  for (const name of new Set(Object.values(mutations))) {
    const route = served(name)
    const known = cases[name]
    // A message is written down as a run of its agent (the test of its executions), not as an act of the team.
    if (route.audit === 'refusals') continue
    if (!isScoped(route) || known === undefined || (known.is !== 'byId' && known.is !== 'own')) continue
    const params = await own.ids(known.params ?? {}, true)
    const { status } = await ask({ place: alpha, by: 'owner' }, route, { params, query: known.query, body: known.body })
    if (status >= 500) missing.push(`${name}: ${status}`)
    const { body } = await alpha.owner.call('GET', '/v1/audit?limit=5')
    const { items } = audit.parse(body)
    const isThere = items.some(
      (each) => each.route === route.path && each.method === route.method && each.actor.id === alpha.owner.operatorId,
    )
    if (!isThere) missing.push(`${name} (${status}) is not in the audit log`)
  }
  expect(missing).toEqual([])
})
