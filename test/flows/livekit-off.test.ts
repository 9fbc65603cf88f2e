// LiveKit without a LiveKit server: what is refused, and that nothing is left of it. The rest is in test/livekit.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

describe('not configured', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await startGateway()
  })
  afterAll(() => gateway[Symbol.asyncDispose]())

  test('rooms and webhooks are refused with a problem that says so', async () => {
    const authorization = `Bearer ${gateway.apiKey}`
    const refused = { status: 503, body: { error: { code: 'livekit_unavailable', retry: 'backoff' } } }
    expect(await gateway.post('/v1/livekit/sessions', { agent: 'productco' }, { authorization })).toMatchObject(refused)
    expect(await gateway.post('/v1/livekit/webhooks', {})).toMatchObject(refused)
  })
})

describe('a server that is not there', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await startGateway({
      LIVEKIT_URL: 'ws://127.0.0.1:9',
      LIVEKIT_API_KEY: 'key',
      LIVEKIT_API_SECRET: 'a secret of the operator, nobody else knows it',
    })
  })
  afterAll(() => gateway[Symbol.asyncDispose]())
  const ask = (body: unknown, headers: Record<string, string>) => gateway.post('/v1/livekit/sessions', body, headers)

  test('who asks is told, nothing is charged and no slot stays taken', async () => {
    const headers = { authorization: `Bearer ${gateway.apiKey}` }
    for (let i = 0; i < 3; i++)
      expect(await ask({ agent: 'productco' }, headers)).toMatchObject({
        status: 503,
        body: { error: { code: 'livekit_unavailable' } },
      })
    const sessions = z.object({ items: z.array(z.object({ state: z.string(), creditsMicro: z.number() })) })
    await expect
      .poll(async () => sessions.parse((await gateway.get('/v1/sessions')).body).items, { timeout: 10_000 })
      .toEqual([
        { state: 'ended', creditsMicro: 0 },
        { state: 'ended', creditsMicro: 0 },
        { state: 'ended', creditsMicro: 0 },
      ])
    const text = JSON.stringify(gateway.log)
    expect(text).not.toContain('nobody else knows it')
  })

  test('identity is checked first, and a body is taken strictly', async () => {
    expect(await ask({}, {})).toMatchObject({ status: 401 })
    expect(await ask({}, { authorization: 'Bearer nonsense' })).toMatchObject({ status: 401 })
    const headers = { authorization: `Bearer ${gateway.apiKey}` }
    expect(await ask({ agent: 'nobody' }, headers)).toMatchObject({
      status: 404,
      body: { error: { code: 'unknown_agent' } },
    })
    for (const body of [{ agent: 'productco', room: '../other' }, { agent: 'productco', identity: 'me' }, { agent: 7 }])
      expect(await ask(body, headers)).toMatchObject({ status: 400, body: { error: { code: 'invalid' } } })
    const token = await gateway.visitorToken()
    const visitor = { authorization: `Bearer ${token}`, origin: gateway.url }
    for (const body of [{ room: 'mine' }, { visitor: { id: 'somebody-else' } }])
      expect(await ask(body, visitor)).toMatchObject({ status: 403 })
    expect(await ask({}, { ...visitor, origin: 'https://evil.example' })).toMatchObject({ status: 403 })
  })

  test('a page of any origin may ask; what it may have, its token says', async () => {
    const preflight = await fetch(`${gateway.url}/v1/livekit/sessions`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://shop.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    })
    expect(preflight.ok).toBe(true)
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*')
    const { headers } = await ask({}, { origin: 'https://shop.example' })
    expect(headers.get('access-control-allow-origin')).toBe('*')
  })

  test('an unsigned webhook is refused', async () => {
    expect(await gateway.post('/v1/livekit/webhooks', { event: 'participant_joined' })).toMatchObject({ status: 401 })
  })
})
