// The API document as a client finds it.

import { Validator } from '@seriousme/openapi-schema-validator'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { startGateway } from '../harness/start-gateway.ts'

const document = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), z.looseObject({ operationId: z.string() }))),
})

test('the gateway serves a valid document of every route, to anybody, and says that it may be kept', async () => {
  await using gateway = await startGateway()
  const answer = await fetch(`${gateway.url}/v1/openapi.json`)
  expect(answer.headers.get('cache-control')).toContain('max-age')
  const json: unknown = await answer.json()
  const { paths } = document.parse(json)
  expect(await new Validator().validate(structuredClone(document.parse(json)))).toMatchObject({ valid: true })
  for (const { method, path } of gateway.app.routes)
    expect(paths[path.replaceAll(/:(\w+)/g, '{$1}')], path).toHaveProperty(method.toLowerCase())
  const ids = Object.values(paths).flatMap((each) => Object.values(each).map(({ operationId }) => operationId))
  expect(new Set(ids).size).toBe(ids.length)
})

test('[S001-23] anybody may ask for the health of the gateway and is told its state', async () => {
  await using gateway = await startGateway()
  const answer = await fetch(`${gateway.url}/health`)
  expect(answer.status).toBe(200)
  expect(await answer.json()).toMatchObject({ status: 'ready', checks: { mongodb: 'ok', redis: 'ok' } })
})

test('a body that is too large is answered before the connection ends, every time, and the next request is served', async () => {
  await using gateway = await startGateway()
  for (let i = 0; i < 12; i++) {
    const body = { x: 'y'.repeat(300_000) }
    expect(await gateway.post('/v1/console/sign-in', body)).toMatchObject({
      status: 413,
      body: { error: { code: 'too_large' } },
    })
    expect((await gateway.get('/health')).status).toBe(200)
  }
})
