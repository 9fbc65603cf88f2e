// What a tenant's plan allows, as its developers meet it over HTTP.

import { expect, test } from 'vitest'
import { startGateway } from '../harness/start-gateway.ts'

test('[U5] a key that asks more often than the plan allows is told so, by a code of its own and a time to wait', async () => {
  await using gateway = await startGateway()
  const { tenants } = gateway.app.slices
  const tenant = await tenants.bySlug('productco')
  if (tenant === undefined) throw new Error('seeded')
  await tenants.of(tenant.id).change({ plan: 'free' })
  const ask = (): Promise<Response> =>
    fetch(`${gateway.url}/v1/credits`, { headers: { authorization: `Bearer ${gateway.apiKey}` } })
  const burst = 60
  const startedAtMs = performance.now()
  const statuses = new Map<number, number>()
  let refused: Response | undefined
  while (refused === undefined && performance.now() - startedAtMs < 10_000) {
    const response = await ask()
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1)
    if (response.status === 429) refused = response
  }
  const cameBack = Math.ceil((performance.now() - startedAtMs) / 2_000)
  expect(statuses.get(200)).toBeGreaterThanOrEqual(burst)
  expect(statuses.get(200)).toBeLessThanOrEqual(burst + cameBack)
  expect(await refused?.json()).toMatchObject({ error: { code: 'rate_key', retry: 'backoff' } })
  expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
  // Others are not kept out by it: an operator's page, health, a visitor.
  expect((await fetch(`${gateway.url}/health/ready`)).status).toBe(200)
  expect(await gateway.visitorToken()).not.toBe('')
})
