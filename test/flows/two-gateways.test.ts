import { expect, test } from 'vitest'
import type { LiveEvent } from '../../gateway/sessions/sessions.ts'
import { startPair } from '../harness/pair.ts'
import { openParley, say, wayBack } from '../harness/returning-client.ts'

test('[S37] a console at one gateway sees a session that lives in another, word by word, and can end it', async () => {
  await using two = await startPair()
  const { a, b } = two
  const tenant = await b.app.slices.tenants.bySlug('productco')
  if (tenant === undefined) throw new Error('no tenant')
  const seen: LiveEvent[] = []
  const stop = b.app.slices.sessions.of(tenant.id).watch((event) => void seen.push(event))
  await using client = await openParley(a.wsUrl, await a.visitorToken())
  await client.event('parley.session')
  const { sessionId } = wayBack(client)
  // A process looks once in two seconds whether somebody watches elsewhere.
  await expect.poll(() => seen.length, { timeout: 15_000 }).toBeGreaterThan(0)
  say(client, 'item_q1', 'Do you have a red sofa under 500?')
  const said = () => seen.filter((event) => event.is === 'turn').map((event) => event.turn.itemId)
  await expect.poll(said, { timeout: 10_000 }).toContain('item_q1')
  expect(seen.some((event) => event.is === 'session' && event.session.id === sessionId)).toBe(true)

  const ended = await b.post(
    `/v1/sessions/${sessionId}/end`,
    { reason: 'test' },
    { authorization: `Bearer ${b.apiKey}` },
  )
  expect(ended.status).toBe(200)
  expect(await client.ended()).toMatchObject({ code: 4409 })
  stop()
})
