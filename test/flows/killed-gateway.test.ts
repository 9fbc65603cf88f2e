import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { connect } from '../harness/client.ts'
import { runJanitor, spawnGateway } from '../harness/spawn-gateway.ts'
import { newApiKey } from '../harness/start-gateway.ts'

const session = z.object({
  state: z.string(),
  endReason: z.string().optional(),
  lastSeenAt: z.string(),
  creditsMicro: z.number(),
  endedAt: z.string().optional(),
})
const receipt = z.object({
  totalMicro: z.number(),
  entryId: z.string(),
  lines: z.array(z.object({ amountMicro: z.number() })),
})
const entries = z.object({ items: z.array(z.object({ id: z.string(), amountMicro: z.number() })) })
const credits = z.object({ postedMicro: z.number(), heldMicro: z.number(), holds: z.array(z.unknown()) })
const transcript = z.object({ turns: z.array(z.object({ text: z.string(), state: z.string(), role: z.string() })) })

async function get<T>(url: string, key: string, schema: z.ZodType<T>): Promise<T> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${key}` } })
  return schema.parse(await response.json())
}

test('[S15] kill -9 during speech: nothing acknowledged is missing, a janitor of another process closes the session within 60 s, settles once and frees the slot', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'parley-kill-'))
  const key = newApiKey()
  const env = { PARLEY_DATA_DIR: dir, PARLEY_DEMO_API_KEY: key }
  try {
    const gateway = await spawnGateway(env)
    const visitor = await connect(gateway.wsUrl, {
      headers: { authorization: `Bearer ${key}` },
      query: '?agent=productco',
    })
    const created = await visitor.event('session.created')
    const sessionId = z.object({ id: z.string() }).parse(created.session).id
    visitor.ask('Do you have a red sofa under 500?')
    await visitor.event('response.done', 2)
    await expect
      .poll(async () => (await get(`${gateway.url}/v1/sessions/${sessionId}`, key, session)).creditsMicro, {
        timeout: 10_000,
      })
      .toBeGreaterThan(0)
    visitor.ask('What are your delivery times?')
    await visitor.until((client) => (client.audioBytes.size > 1 ? true : undefined), 'speech of the second answer')
    const before = await get(`${gateway.url}/v1/sessions/${sessionId}/transcript`, key, transcript)
    const acknowledged = before.turns.filter((turn) => turn.state === 'final')
    await gateway.kill()
    await visitor.ended()

    // The truth as of the last checkpoint, read without any gateway.
    const restarted = await spawnGateway(env)
    const left = await get(`${restarted.url}/v1/sessions/${sessionId}`, key, session)
    expect(left.state).not.toBe('ended')
    expect((await get(`${restarted.url}/v1/credits`, key, credits)).holds).toHaveLength(1)
    await restarted.kill()

    const lastSeen = Date.parse(left.lastSeenAt)
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, lastSeen + 45_500 - Date.now())))
    const janitor = await runJanitor(env)
    expect(janitor).toMatchObject({ code: 0 })
    expect(janitor.output).toContain('1 closed, 1 settled, 0 failed')
    expect(Date.now() - lastSeen).toBeLessThan(60_000)
    expect((await runJanitor(env)).output).toContain('0 closed, 0 settled, 0 failed')

    await using after = await spawnGateway(env)
    const closed = await get(`${after.url}/v1/sessions/${sessionId}`, key, session)
    expect(closed).toMatchObject({ state: 'ended', endReason: 'janitor' })
    const bill = await get(`${after.url}/v1/sessions/${sessionId}/receipt`, key, receipt)
    const ledger = await get(`${after.url}/v1/credits/entries`, key, entries)
    const settlements = ledger.items.filter((entry) => entry.id.startsWith('settle:'))
    expect(settlements).toEqual([{ id: bill.entryId, amountMicro: -bill.totalMicro }])
    expect(bill.totalMicro).toBeGreaterThan(0)
    expect((await get(`${after.url}/v1/credits`, key, credits)).holds).toEqual([])
    const stored = await get(`${after.url}/v1/sessions/${sessionId}/transcript`, key, transcript)
    for (const turn of acknowledged) expect(stored.turns).toContainEqual(turn)
    expect(stored.turns.every((turn) => turn.state !== 'partial')).toBe(true)
    await using next = await connect(after.wsUrl, {
      headers: { authorization: `Bearer ${key}` },
      query: '?agent=productco',
    })
    await next.event('session.created')
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}, 120_000)

test('SIGTERM ends live sessions in order: they are settled and the process exits 0', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'parley-term-'))
  const key = newApiKey()
  const env = { PARLEY_DATA_DIR: dir, PARLEY_DEMO_API_KEY: key }
  try {
    const gateway = await spawnGateway(env)
    const visitor = await connect(gateway.wsUrl, {
      headers: { authorization: `Bearer ${key}` },
      query: '?agent=productco',
    })
    const created = await visitor.event('session.created')
    const sessionId = z.object({ id: z.string() }).parse(created.session).id
    visitor.ask('Hello')
    await visitor.event('response.done')
    expect(await gateway.stop()).toBe(0)
    expect(await visitor.ended()).toMatchObject({ code: 1012 })
    await using again = await spawnGateway(env)
    expect(await get(`${again.url}/v1/sessions/${sessionId}`, key, session)).toMatchObject({
      state: 'ended',
      endReason: 'drain',
    })
    expect((await get(`${again.url}/v1/credits`, key, credits)).holds).toEqual([])
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})

test('a store that cannot be reached at boot is one clear line and exit code 1, never a stack trace', async () => {
  const failure = await spawnGateway({
    PARLEY_DATA_DIR: '/proc/parley',
    MONGODB_URI: 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=500',
  }).then(
    () => '',
    (error: unknown) => String(error),
  )
  expect(failure).toContain('exited with 1')
  expect(failure).toMatch(/Parley cannot start\. MongoDB \(MONGODB_URI\) cannot be used/)
  expect(failure).not.toMatch(/\n\s+at /)
})

test('a port in use and a data folder that cannot be are one clear line each', async () => {
  const folders = await mkdtemp(join(tmpdir(), 'parley-port-'))
  onTestFinished(() => rm(folders, { recursive: true, force: true }))
  await using gateway = await spawnGateway({ PARLEY_DATA_DIR: join(folders, 'one'), PARLEY_DEMO: 'false' })
  const { port } = new URL(gateway.url)
  for (const [env, says] of [
    [{ PORT: port, PARLEY_DATA_DIR: join(folders, 'two') }, /Port \d+ of 127\.0\.0\.1 cannot be used/],
    [{ PARLEY_DATA_DIR: '/etc/passwd/data' }, /The embedded store in \/etc\/passwd\/data cannot be used/],
  ] as const) {
    const failure = await spawnGateway(env).then(
      () => 'it started',
      (error: unknown) => String(error),
    )
    expect(failure).toMatch(says)
    expect(failure).toContain('exited with 1')
    expect(failure).not.toMatch(/\n\s+at /)
  }
})
