// Made of the route table: every route × every built-in role × what a person wrote down in test/surface/role-matrix.ts.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { abilities } from '../../gateway/platform/access.ts'
import type { Route } from '../../gateway/platform/http.ts'
import { type SignedIn, signIn } from '../harness/sign-in.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'
import { nameOf } from '../surface/check-cases.ts'
import { mayBy, type RoleName, roles } from '../surface/role-matrix.ts'

let gateway: TestGateway
const people = new Map<RoleName, SignedIn>()
beforeAll(async () => {
  gateway = await startGateway({ PARLEY_RATE_FACTOR: '10000' })
  for (const role of roles) if (role !== 'service') people.set(role, await signIn(gateway, role))
})
afterAll(() => gateway[Symbol.asyncDispose]())

/** Nobody's ids and a body that fits nothing: who may, is told that; nothing is changed by asking. */
async function asked(route: Route, role: RoleName | 'nobody' | 'no csrf'): Promise<number> {
  const path = route.path.replaceAll(/:\w+/g, 'nobodys')
  const body = route.method === 'GET' || route.body === undefined ? undefined : { nothing: 'of this' }
  const person = role === 'no csrf' ? people.get('owner') : people.get(role === 'nobody' ? 'service' : role)
  if (person !== undefined)
    return (
      await person.call(route.method, path, {
        body,
        ...(role === 'no csrf' ? { headers: { 'x-parley-csrf': '' } } : {}),
      })
    ).status
  const answer = await fetch(gateway.url + path, {
    method: route.method,
    headers: {
      ...(role === 'nobody' ? {} : { authorization: `Bearer ${gateway.apiKey}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  await answer.arrayBuffer()
  return answer.status
}

const scoped = (): readonly Route[] => {
  const found = gateway.app.routes.filter(({ access }) => access !== 'public' && access !== 'operator')
  if (found.length < 20) throw new Error('the sweep is blind')
  return found
}

async function wrong(
  all: readonly Route[],
  expected: (route: Route) => Promise<string | undefined>,
): Promise<readonly string[]> {
  const found: string[] = []
  for (const route of all) {
    const told = await expected(route)
    if (told !== undefined) found.push(`${nameOf(route)}: ${told}`)
  }
  return found
}

describe.each(roles)('[S001-27, S001-28] the role %s', (role) => {
  test('may on every route exactly what is written down for it', async () => {
    const found = await wrong(scoped(), async (route) => {
      const { access } = route
      if (access === 'public' || access === 'operator') return undefined
      const status = await asked(route, role)
      if (mayBy(role, access))
        return status === 401 || status === 403 || status >= 500 ? `may, and is told ${status}` : undefined
      return status === 403 ? undefined : `may not, and is told ${status}`
    })
    expect(found).toEqual([])
  })
})

test('[S001-27, S001-28] without a credential every route of a tenant or a person says 401, and changes by cookie need the token', async () => {
  const found = await wrong(
    gateway.app.routes.filter(({ access }) => access !== 'public'),
    async (route) => {
      const nobody = await asked(route, 'nobody')
      if (nobody !== 401) return `nobody is told ${nobody}`
      const forged = route.method === 'GET' ? 403 : await asked(route, 'no csrf')
      return forged === 403 ? undefined : `without the CSRF token it is told ${forged}`
    },
  )
  expect(found).toEqual([])
})

test('every ability of the code stands in the matrix, and the owner has each', () => {
  expect(abilities.filter((each) => !mayBy('owner', each))).toEqual([])
})
