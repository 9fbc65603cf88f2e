import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { connect } from '../harness/client.ts'
import { startScriptedRealtime } from '../harness/scripted-realtime.ts'
import { spawnGateway } from '../harness/spawn-gateway.ts'
import { newApiKey, startGateway } from '../harness/start-gateway.ts'

const transcript = z.object({ turns: z.array(z.object({ role: z.string(), text: z.string(), state: z.string() })) })

test('a store that freezes for 6 s: speech goes on, nobody is cut off, and every turn and the bill are there afterwards', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'parley-frozen-'))
  const provider = await startScriptedRealtime()
  const key = newApiKey()
  const shared = { PARLEY_DATA_DIR: dir, PARLEY_DEMO_API_KEY: key }
  try {
    // The first process owns the store, so it can be frozen without freezing the gateway that is tried.
    await using owner = await spawnGateway(shared)
    await using gateway = await startGateway({
      ...shared,
      OPENAI_API_KEY: 'test',
      OPENAI_BASE_URL: provider.baseUrl,
      PARLEY_ENGINE: 'openai-realtime',
    })
    await using visitor = await connect(gateway.wsUrl, {
      headers: { authorization: `Bearer ${key}` },
      query: '?agent=productco',
    })
    const sessionId = z.object({ id: z.string() }).parse((await visitor.event('session.created')).session).id
    visitor.ask('First question')
    await visitor.event('response.done')
    owner.child.kill('SIGSTOP')
    const frozenAt = performance.now()
    try {
      visitor.ask('Second question')
      await visitor.event('response.done', 2)
      expect(performance.now() - frozenAt).toBeLessThan(5_000)
      await new Promise((resolve) => setTimeout(resolve, 6_000 - (performance.now() - frozenAt)))
    } finally {
      owner.child.kill('SIGCONT')
    }
    visitor.ask('Third question')
    await visitor.event('response.done', 3)
    expect(visitor.ofType('error')).toEqual([])
    await expect
      .poll(
        async () =>
          transcript
            .parse((await gateway.get(`/v1/sessions/${sessionId}/transcript`)).body)
            .turns.map((turn) => turn.role),
        { timeout: 15_000 },
      )
      .toEqual(['user', 'agent', 'user', 'agent', 'user', 'agent'])
    visitor.socket.close(1000)
    await expect
      .poll(async () => (await gateway.get(`/v1/sessions/${sessionId}/receipt`)).status, { timeout: 15_000 })
      .toBe(200)
    const stored = await gateway.app.stores.mongo.db
      .collection('turns')
      .find({ tenantId: { $exists: true }, sessionId })
      .sort({ seq: 1 })
      .toArray()
    expect(stored.filter((turn) => turn.role === 'user').map((turn) => turn.text)).toEqual([
      'First question',
      'Second question',
      'Third question',
    ])
  } finally {
    await provider.stop()
    await rm(dir, { recursive: true, force: true })
  }
}, 90_000)
