// One gateway on embedded stores, restarted: in order and by kill -9. Its visitors go on in the same session.

import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import type { TestClient } from '../harness/client.ts'
import { openParley, say, turnsOf, wayBack } from '../harness/returning-client.ts'
import { spawnGateway } from '../harness/spawn-gateway.ts'
import { newApiKey } from '../harness/start-gateway.ts'

async function place() {
  const dir = await mkdtemp(join(tmpdir(), 'parley-restart-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const key = newApiKey()
  // The same port before and after: it is part of the address that visitors' tokens are issued for.
  return { key, env: { PARLEY_DATA_DIR: dir, PARLEY_DEMO_API_KEY: key, PORT: String(await freePort()) } }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('no free port')
  return address.port
}

async function visitorToken(url: string): Promise<string> {
  const response = await fetch(`${url}/v1/widget/bootstrap`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify({ key: 'pk_demo_productco' }),
  })
  return z.object({ token: z.string() }).parse(await response.json()).token
}

async function talk(client: TestClient, itemId: string): Promise<void> {
  say(client, itemId, 'Do you have a red sofa under 500?')
  await client.until(
    () => client.ofType('parley.committed').find((event) => JSON.stringify(event.item_ids).includes(itemId)),
    `${itemId} committed`,
  )
  await client.until(
    () => turnsOf(client.events).findLast((turn) => turn.role === 'agent' && turn.state === 'final'),
    'an answer',
  )
}

const credits = z.object({ holds: z.array(z.object({ sessionId: z.string() })) })

for (const how of ['SIGTERM', 'SIGKILL'] as const) {
  test(`[S17][S18] after ${how} and a restart a visitor goes on in the same session, on the same hold`, async () => {
    const { key, env } = await place()
    const gateway = await spawnGateway(env)
    const token = await visitorToken(gateway.url)
    const first = await openParley(gateway.wsUrl, token)
    await first.event('parley.session')
    await talk(first, 'item_q1')
    const back = wayBack(first)
    const startedAtMs = performance.now()
    if (how === 'SIGTERM') {
      expect(await gateway.stop()).toBe(0)
      // Nobody else could take it: there is nothing to wait for.
      expect(performance.now() - startedAtMs).toBeLessThan(8_000)
      expect(await first.ended()).toMatchObject({ code: 1012 })
    } else await gateway.kill()

    await using again = await spawnGateway(env)
    await using second = await openParley(again.wsUrl, token, back)
    const hello = await second.event('parley.session')
    expect(hello).toMatchObject({ session_id: back.sessionId, epoch: 2, resumed: { gap: how === 'SIGKILL' } })
    expect(turnsOf([hello]).filter((turn) => turn.role === 'user')).toHaveLength(1)
    await talk(second, 'item_q2')
    const response = await fetch(`${again.url}/v1/credits`, { headers: { authorization: `Bearer ${key}` } })
    expect(credits.parse(await response.json()).holds.map((hold) => hold.sessionId)).toEqual([back.sessionId])
  }, 60_000)
}
