import { expect, test } from 'vitest'
import { createApi } from './client.ts'
import { ApiProblem } from './problem.ts'

interface Call {
  readonly url: string
  readonly init: RequestInit
}

function scripted(...answers: (Response | Error)[]) {
  const calls: Call[] = []
  const api = createApi(async (url, init) => {
    calls.push({ url, init })
    const answer = answers.shift()
    if (answer === undefined) throw new Error('unexpected call')
    if (answer instanceof Error) throw answer
    return answer
  })
  return { api, calls }
}

test('tenant calls carry the tenant, and absent parameters are left out', async () => {
  const { api, calls } = scripted(Response.json({ items: [], next: null }), Response.json({ items: [], next: null }))
  await api.of('acme').endedSessions(undefined, 50)
  await api.of('acme').endedSessions('c 1', 50)
  expect(calls.map((call) => call.url)).toEqual([
    '/v1/sessions?tenant=acme&state=ended&limit=50',
    '/v1/sessions?tenant=acme&state=ended&cursor=c+1&limit=50',
  ])
})

test('changes send the csrf token that me answered; reads do not', async () => {
  const { api, calls } = scripted(
    Response.json({ id: 'o', name: 'O', tenants: [], csrf: 'secret' }),
    Response.json({}),
    Response.json({}),
  )
  await api.me()
  await api.of('acme').endSession('ses/1', 'spam')
  await api.of('acme').tenant()
  expect(calls[1]?.url).toBe('/v1/sessions/ses%2F1/end?tenant=acme')
  expect(calls[1]?.init.headers).toMatchObject({ 'x-parley-csrf': 'secret' })
  expect(calls[1]?.init.body).toBe('{"reason":"spam"}')
  expect(calls[2]?.init.headers).not.toHaveProperty('x-parley-csrf')
})

test('a refusal and a dead network both become problems', async () => {
  const { api } = scripted(
    Response.json({ code: 'forbidden', message: 'Owners only.', retry: 'never' }, { status: 403 }),
    new TypeError('fetch failed'),
  )
  await expect(api.of('a').tenant()).rejects.toMatchObject({ status: 403, message: 'Owners only.' })
  const lost = await api
    .of('a')
    .tenant()
    .catch((error: unknown) => error)
  expect(lost).toBeInstanceOf(ApiProblem)
  expect(lost).toMatchObject({ status: 0, body: { code: 'unavailable' } })
})

test('an empty success body is fine', async () => {
  const { api } = scripted(new Response(null, { status: 204 }))
  await expect(api.signIn('t')).resolves.toBeUndefined()
})
