import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AccessToken, RoomServiceClient } from 'livekit-server-sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { callerToken, type LiveKitKeys } from '../../gateway/legs/livekit/tokens.ts'
import { freeTcpPort, type LiveKitServer, startLiveKit, whyNoLiveKit } from '../harness/livekit-server.ts'
import { LiveKitVisitor, until } from '../harness/livekit-visitor.ts'
import { type ScriptedRealtime, startScriptedRealtime } from '../harness/scripted-realtime.ts'
import { spawnGateway } from '../harness/spawn-gateway.ts'
import { silencePcm, speechPcm } from '../harness/speech.ts'
import { newApiKey, startGateway, type TestGateway } from '../harness/start-gateway.ts'

const why = whyNoLiveKit()
const tell = (line: string): boolean => process.stdout.write(`livekit: ${line}\n`)
if (why !== undefined) process.stderr.write(`livekit: not run, because ${why}\n`)

const answerBody = z.object({
  url: z.string(),
  token: z.string(),
  room: z.string(),
  identity: z.string(),
  sessionId: z.string(),
  agent: z.object({ slug: z.string(), identity: z.string() }),
})
type Answer = z.output<typeof answerBody>

const turnsBody = z.object({
  turns: z.array(
    z.object({
      role: z.string(),
      state: z.string(),
      text: z.string(),
      unheard: z.string().optional(),
      voice: z.boolean(),
      audio: z.object({ sentMs: z.number(), playedMs: z.number() }).optional(),
    }),
  ),
})

describe.skipIf(why !== undefined)('a real LiveKit server', { timeout: 120_000 }, () => {
  let server: LiveKitServer
  let gateway: TestGateway
  beforeAll(async () => {
    const port = await freeTcpPort()
    server = await startLiveKit({ webhooks: `http://127.0.0.1:${port}/v1/livekit/webhooks` })
    gateway = await startGateway({
      PORT: String(port),
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      LIVEKIT_URL: server.url,
      LIVEKIT_API_KEY: server.apiKey,
      LIVEKIT_API_SECRET: server.apiSecret,
    })
  })
  afterAll(async () => {
    await gateway?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })

  async function ask(body: Record<string, unknown> = { agent: 'productco' }): Promise<Answer> {
    const reply = await gateway.post('/v1/livekit/sessions', body, { authorization: `Bearer ${gateway.apiKey}` })
    expect(reply.status, JSON.stringify(reply.body)).toBe(201)
    return answerBody.parse(reply.body)
  }
  async function turnsOf(from: TestGateway, sessionId: string) {
    return turnsBody.parse((await from.get(`/v1/sessions/${sessionId}/transcript`)).body).turns
  }
  const turns = (sessionId: string) => turnsOf(gateway, sessionId)
  async function ended(sessionId: string, reason: string): Promise<void> {
    await expect
      .poll(async () => (await gateway.get(`/v1/sessions/${sessionId}`)).body, { timeout: 15_000 })
      .toMatchObject({ state: 'ended', endReason: reason, transport: 'livekit' })
  }

  /** No more of the agent's voice for so long. */
  async function quiet(visitor: LiveKitVisitor, ms = 900): Promise<void> {
    await until(() => (performance.now() - (visitor.loudAt.at(-1) ?? 0) > ms ? true : undefined), 'silence', 30_000)
  }
  const hears = (visitor: LiveKitVisitor, ms: number, sinceMs = 0, timeoutMs = 20_000): Promise<boolean> =>
    until(() => (visitor.heardMs(sinceMs) >= ms ? true : undefined), `${ms} ms of the agent`, timeoutMs)
  const eventOf = (visitor: LiveKitVisitor, type: string): Promise<Record<string, unknown>> =>
    until(() => visitor.events.find((event) => event.type === type), type, 20_000)

  test('a visitor speaks, hears the answer, cuts in, mutes, types and leaves', async () => {
    const answer = await ask()
    await using visitor = await LiveKitVisitor.join(answer)
    await hears(visitor, 1_000)
    await quiet(visitor)
    expect(visitor.texts('agent').join(' ')).toContain('ProductCo')

    const spokeMs = performance.now()
    await visitor.speak(Buffer.concat([await speechPcm('Do you have a red sofa?'), silencePcm(1_500)]))
    await hears(visitor, 500, spokeMs + 2_000)
    await until(() => (visitor.texts('caller').length > 0 ? true : undefined), 'the words of the visitor')
    expect(visitor.states.map(({ state }) => state)).toEqual(
      expect.arrayContaining(['listening', 'thinking', 'speaking']),
    )

    // Cuts in by voice: the player is flushed.
    const cutMs = performance.now()
    const speaking = visitor.speak(
      Buffer.concat([await speechPcm('Stop. What are your delivery times?'), silencePcm(2_000)]),
    )
    const { atMs: flushedMs } = await until(
      () => visitor.states.find(({ state, atMs }) => atMs > cutMs && state !== 'speaking'),
      'the end of speaking',
    )
    await speaking
    const after = visitor.loudAt.filter((atMs) => atMs > flushedMs && atMs < flushedMs + 500)
    const residualMs = (after.at(-1) ?? flushedMs) - flushedMs
    const noticedMs = flushedMs - cutMs
    tell(`cut in by voice: noticed after ${noticedMs.toFixed(0)} ms, heard after that ${residualMs.toFixed(0)} ms`)
    expect(residualMs).toBeLessThan(400)
    await hears(visitor, 500, flushedMs + 700)
    await quiet(visitor)

    await visitor.mute()
    const typedMs = performance.now()
    await visitor.type('When is the showroom open?')
    await hears(visitor, 500, typedMs)
    expect(visitor.texts('caller')).not.toContain('When is the showroom open?')
    await visitor.leave()
    await ended(answer.sessionId, 'client_ended')
    const stored = await turns(answer.sessionId)
    expect(stored.filter(({ role }) => role === 'user').map(({ voice }) => voice)).toEqual([true, true, false])
    expect(stored.find(({ role, voice }) => role === 'user' && !voice)?.text).toBe('When is the showroom open?')
    expect(stored.filter(({ state }) => state === 'interrupted').length).toBeGreaterThanOrEqual(1)
  })

  test('a visitor’s own token opens one room of its own, and the answer to it opens nothing else', async () => {
    const token = await gateway.visitorToken()
    const headers = { authorization: `Bearer ${token}`, origin: gateway.url }
    expect(await gateway.post('/v1/livekit/sessions', { room: 'mine' }, headers)).toMatchObject({ status: 403 })
    expect(await gateway.post('/v1/livekit/sessions', {}, { authorization: `Bearer ${token}` })).toMatchObject({
      status: 403,
    })
    const reply = await gateway.post('/v1/livekit/sessions', {}, headers)
    const answer = answerBody.parse(reply.body)
    expect(JSON.stringify(reply.body)).not.toContain(server.apiSecret)
    const api = new RoomServiceClient(server.url.replace('ws', 'http'), server.apiKey, server.apiSecret)
    // The token is no key to the server's API.
    for (const method of ['DeleteRoom', 'ListRooms', 'ListParticipants', 'RemoveParticipant']) {
      const asked = await fetch(`${server.url.replace('ws', 'http')}/twirp/livekit.RoomService/${method}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${answer.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ room: answer.room, identity: answer.agent.identity }),
      })
      expect([401, 403], method).toContain(asked.status)
    }
    await using visitor = await LiveKitVisitor.join(answer)
    expect(visitor.room.name).toBe(answer.room)
    await expect(visitor.publishCamera()).rejects.toThrow()
    const present = await api.listParticipants(answer.room)
    expect(present.map(({ identity }) => identity).sort()).toEqual([answer.agent.identity, answer.identity].sort())
    expect(present.find(({ identity }) => identity === answer.identity)?.permission).toMatchObject({
      canPublish: true,
      canUpdateMetadata: false,
      hidden: false,
      agent: false,
    })
    await visitor.leave()
    await ended(answer.sessionId, 'client_ended')
    await expect.poll(async () => (await api.listRooms([answer.room])).length, { timeout: 5_000 }).toBe(0)
  })

  test('an agent hears only its own caller, also in a room of several', async () => {
    const first = await ask({ agent: 'productco', room: 'meeting', visitor: { id: 'user-1' } })
    const second = await ask({ agent: 'productco', room: 'meeting', visitor: { id: 'user-2' } })
    expect(second.room).toBe(first.room)
    expect(second.agent.identity).not.toBe(first.agent.identity)
    await using ada = await LiveKitVisitor.join(first)
    await using bob = await LiveKitVisitor.join(second)
    await hears(ada, 1_000)
    await quiet(ada)
    await ada.speak(Buffer.concat([await speechPcm('Do you have a red sofa?'), silencePcm(700)]))
    await bob.type('When is the showroom open?')
    await quiet(ada)
    await Promise.all([ada.leave(), bob.leave()])
    await Promise.all([ended(first.sessionId, 'client_ended'), ended(second.sessionId, 'client_ended')])
    const users = async ({ sessionId }: Answer): Promise<boolean[]> =>
      (await turns(sessionId)).filter(({ role }) => role === 'user').map(({ voice }) => voice)
    expect(await users(first)).toEqual([true])
    expect(await users(second)).toEqual([false])
  })

  test('a reload with the same token takes the session up again, without a second greeting', async () => {
    const answer = await ask()
    await using before = await LiveKitVisitor.join(answer)
    await hears(before, 500)
    await using after = await LiveKitVisitor.join(answer)
    await until(() => before.disconnected, 'the first tab to be sent out')
    await after.type('When is the showroom open?')
    await until(() => after.texts('agent').find((text) => /showroom is at/.test(text)), 'the answer', 20_000)
    await after.leave()
    await ended(answer.sessionId, 'client_ended')
    const said = (await turns(answer.sessionId))
      .filter(({ role }) => role === 'agent')
      .map(({ text, unheard }) => `${text} ${unheard ?? ''}`)
    expect(said.filter((text) => /this is ProductCo/.test(text))).toHaveLength(1)
  })

  test('a server that dies and comes back costs a pause, not the session', async (context) => {
    const own = server.process
    if (own === undefined) return context.skip('the LiveKit server is not ours to kill')
    const answer = await ask()
    await using visitor = await LiveKitVisitor.join(answer)
    await hears(visitor, 1_000)
    await quiet(visitor)
    await own.stop()
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    await own.start()
    const backMs = performance.now()
    const api = new RoomServiceClient(server.url.replace('ws', 'http'), server.apiKey, server.apiSecret)
    const present = async (): Promise<string[]> =>
      (await api.listParticipants(answer.room).catch(() => [])).map(({ identity }) => identity).sort()
    await expect.poll(present, { timeout: 40_000 }).toEqual([answer.agent.identity, answer.identity].sort())
    await until(() => (visitor.reconnected > 0 && visitor.agentHere ? true : undefined), 'the new connection')
    tell(`back ${((performance.now() - backMs) / 1000).toFixed(1)} s after the server`)
    // A message to a room is not kept for who is not there yet: a person says it again.
    const typedMs = performance.now()
    for (let tries = 0; tries < 5 && visitor.heardMs(typedMs) === 0; tries++) {
      await visitor.type('When is the showroom open?')
      await hears(visitor, 500, typedMs, 6_000).catch(() => undefined)
    }
    await hears(visitor, 500, typedMs)
    await visitor.leave()
    await ended(answer.sessionId, 'client_ended')
  })

  test('a caller in a room that others made is answered once, by the agent that the room names', async (context) => {
    if (server.process === undefined) return context.skip('the LiveKit server does not know this gateway')
    const room = `parley.pk_demo_productco.${Date.now()}`
    const seat = { room, identity: 'outsider', name: 'Outsider' }
    const keys = { apiKey: server.apiKey, apiSecret: server.apiSecret }
    await using caller = await LiveKitVisitor.join({ url: server.url, token: await callerToken(keys, seat) })
    await hears(caller, 800)
    // The same event again, as the server repeats what it got no answer for.
    const body = JSON.stringify({
      event: 'participant_joined',
      room: { name: room },
      participant: { identity: 'outsider' },
    })
    const again = await hook(body, await signedHook(keys, body))
    expect(again).toBe(204)
    await new Promise((resolve) => setTimeout(resolve, 500))
    const api = new RoomServiceClient(server.url.replace('ws', 'http'), server.apiKey, server.apiSecret)
    expect((await api.listParticipants(room)).map(({ identity }) => identity)).toHaveLength(2)
    const { items } = z
      .object({ items: z.array(z.object({ id: z.string(), channel: z.string() })) })
      .parse((await gateway.get('/v1/sessions?state=live')).body)
    expect(items).toHaveLength(1)
    expect(items[0]?.channel).toBe('api')
    await caller.leave()
    await ended(items[0]?.id ?? '', 'client_ended')
  })

  async function hook(body: string, authorization: string): Promise<number> {
    const headers = { 'content-type': 'application/webhook+json', authorization }
    return (await fetch(`${gateway.url}/v1/livekit/webhooks`, { method: 'POST', headers, body })).status
  }

  test('webhooks: forged ones are refused; unknown, late and unreadable ones change nothing', async () => {
    const keys = { apiKey: server.apiKey, apiSecret: server.apiSecret }
    const late = JSON.stringify({
      event: 'participant_joined',
      room: { name: 'parley.pk_demo_productco.over' },
      participant: { identity: 'gone' },
    })
    expect(await hook(late, await signedHook(keys, late))).toBe(204)
    for (const body of ['{"event":"next_year"}', '{"event":"room_finished","room":{"name":"x"}}', 'no json'])
      expect(await hook(body, await signedHook(keys, body))).toBe(204)
    expect(
      await hook(late, await signedHook({ ...keys, apiSecret: 'a secret of somebody else, long enough' }, late)),
    ).toBe(401)
    expect(await hook(`${late} `, await signedHook(keys, late))).toBe(401)
    expect(await hook(late, 'nonsense')).toBe(401)
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect((await gateway.get('/v1/sessions?state=live')).body).toMatchObject({ items: [] })
  })

  test('who asked and never came costs nothing, and the room is closed', async () => {
    const answer = await ask()
    await expect
      .poll(async () => (await gateway.get(`/v1/sessions/${answer.sessionId}`)).body, {
        timeout: 40_000,
        interval: 500,
      })
      .toMatchObject({ state: 'ended', endReason: 'client_ended', seconds: 0, creditsMicro: 0 })
    const api = new RoomServiceClient(server.url.replace('ws', 'http'), server.apiKey, server.apiSecret)
    await expect.poll(async () => (await api.listRooms([answer.room])).length, { timeout: 5_000 }).toBe(0)
  })

  describe('with a model of its own', () => {
    let provider: ScriptedRealtime
    let other: TestGateway
    beforeAll(async () => {
      provider = await startScriptedRealtime({ apiKey: 'sk-test', pace: 10 })
      provider.on(/delivery/, { say: 'We deliver on weekdays. The driver calls first. Two people carry it.' })
      other = await startGateway({
        OPENAI_API_KEY: 'sk-test',
        OPENAI_BASE_URL: provider.baseUrl,
        LIVEKIT_URL: server.url,
        LIVEKIT_API_KEY: server.apiKey,
        LIVEKIT_API_SECRET: server.apiSecret,
      })
    })
    afterAll(async () => {
      await other?.[Symbol.asyncDispose]()
      await provider?.stop()
    })
    const askOther = async (): Promise<Answer> => {
      const headers = { authorization: `Bearer ${other.apiKey}` }
      return answerBody.parse((await other.post('/v1/livekit/sessions', { agent: 'productco' }, headers)).body)
    }

    test('what is stored as heard of an answer that was cut is what came to the ear', async () => {
      provider.accept()
      provider.on(/story/, { say: 'Once upon a time. '.repeat(20), audioMs: 12_000 })
      provider.on(/stop/, { say: 'Well.', delayMs: 1_500 })
      const answer = await askOther()
      await using visitor = await LiveKitVisitor.join(answer)
      await hears(visitor, 300)
      await quiet(visitor)
      const residual: number[] = []
      const ear: number[] = []
      for (let round = 0; round < 6; round++) {
        const askedMs = performance.now()
        await visitor.type('Tell me a story')
        await hears(visitor, 700 + 350 * round, askedMs)
        const typedMs = performance.now()
        await visitor.type('Please stop')
        await new Promise((resolve) => setTimeout(resolve, 1_000))
        const lastMs = visitor.loudAt.at(-1) ?? typedMs
        expect(lastMs).toBeLessThan(typedMs + 900)
        residual.push(lastMs - typedMs)
        ear.push(visitor.heardMs(askedMs))
        await hears(visitor, 100, typedMs + 1_000)
        await quiet(visitor)
      }
      await visitor.leave()
      await expect.poll(async () => (await turnsOf(other, answer.sessionId)).at(-1)?.state).not.toBe('partial')
      const cut = (await turnsOf(other, answer.sessionId)).filter(({ state }) => state === 'interrupted')
      const wrong = cut.map(({ audio }, i) => (audio?.playedMs ?? 0) - (ear[i] ?? 0))
      const round = (ms: number): number => Math.round(ms)
      tell(`cut in by a written line: from sending it to the last sound ${residual.map(round)} ms`)
      tell(`of those answers, heard as stored minus heard at the ear: ${wrong.map(round)} ms`)
      expect(cut).toHaveLength(6)
      expect(cut.every(({ unheard }) => unheard !== '')).toBe(true)
      // A machine that stands still for a moment stretches one of them.
      expect(wrong.filter((ms) => Math.abs(ms) < 300).length).toBeGreaterThanOrEqual(5)
    })

    test('a model that is lost is replaced: the caller is told, and hears the rest', async () => {
      provider.accept()
      await using visitor = await LiveKitVisitor.join(await askOther())
      await hears(visitor, 300)
      await quiet(visitor)
      provider.breakAt(12, 'drop')
      await visitor.type('How does delivery work?')
      expect(await eventOf(visitor, 'parley.notice')).toMatchObject({ code: 'engine_trouble' })
      await until(
        () => (/Two people carry it/.test(visitor.texts('agent').join(' ')) ? true : undefined),
        'the rest of the answer',
        20_000,
      )
    })

    test('a model that stays away ends it with words, and the room is closed', async () => {
      provider.accept()
      const answer = await askOther()
      await using visitor = await LiveKitVisitor.join(answer)
      await hears(visitor, 300)
      provider.refuse(503).drop()
      await visitor.type('How does delivery work?')
      expect(await eventOf(visitor, 'parley.end')).toMatchObject({
        reason: 'engine_failed',
        problem: { code: 'engine_lost' },
      })
      await until(() => visitor.disconnected, 'the end of the room')
    })
  })

  test('a process that stops says goodbye to its caller, and ends in order', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'parley-livekit-'))
    const apiKey = newApiKey()
    await using process = await spawnGateway({
      PARLEY_DATA_DIR: dataDir,
      PARLEY_DEMO_API_KEY: apiKey,
      LIVEKIT_URL: server.url,
      LIVEKIT_API_KEY: server.apiKey,
      LIVEKIT_API_SECRET: server.apiSecret,
    })
    const reply = await fetch(`${process.url}/v1/livekit/sessions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ agent: 'productco' }),
    })
    const answer = answerBody.parse(await reply.json())
    await using visitor = await LiveKitVisitor.join(answer)
    await hears(visitor, 1_000)
    const stoppedMs = performance.now()
    expect(await process.stop()).toBe(0)
    tell(`the process ended ${(performance.now() - stoppedMs).toFixed(0)} ms after SIGTERM, with a caller in a room`)
    expect(visitor.events.find(({ type }) => type === 'parley.end')).toMatchObject({ reason: 'drain' })
    await until(() => visitor.disconnected, 'the end of the room')
    expect(process.output()).not.toMatch(/lk-rtc|stop in order/)
    await rm(dataDir, { recursive: true, force: true })
  })

  test('sessions that ended leave nothing of the native client behind', async () => {
    const native = () => ({
      listeners: globalThis._ffiClientInstance?.listenerCount('ffi_event') ?? 0,
      sockets: udpSockets(),
    })
    // Keeps the client loaded, so that it can be counted.
    await using watcher = await LiveKitVisitor.join(await ask())
    await hears(watcher, 300)
    const before = native()
    for (let i = 0; i < 4; i++) {
      const answer = await ask()
      await using visitor = await LiveKitVisitor.join(answer)
      await hears(visitor, 200)
      // One half leaves, the other is sent out.
      const api = new RoomServiceClient(server.url.replace('ws', 'http'), server.apiKey, server.apiSecret)
      if (i % 2 === 0) await visitor.leave()
      else await api.deleteRoom(answer.room)
      await ended(answer.sessionId, 'client_ended')
    }
    await expect.poll(() => native().listeners, { timeout: 5_000 }).toBeLessThanOrEqual(before.listeners)
    const health = z.object({ checks: z.object({ calls: z.string() }) })
    await expect
      .poll(async () => health.parse((await gateway.get('/health')).body).checks.calls, { timeout: 10_000 })
      .toBe('1')
    // Sockets of rooms that were left are closed within 15 s. One room of each end that kept its own would be 14 a round.
    await expect.poll(() => native().sockets, { timeout: 25_000 }).toBeLessThan(before.sockets + 28)
    tell(
      `UDP sockets with one room open: ${before.sockets}, after eight more were opened and left: ${native().sockets}`,
    )
  })
})

/** Of this process: what its rooms send and receive media over. */
function udpSockets(): number {
  const inodes = new Set(
    ['/proc/self/net/udp', '/proc/self/net/udp6'].flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .slice(1)
        .map((line) => line.trim().split(/\s+/)[9]),
    ),
  )
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return inodes.has(/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1])
    } catch {
      return false
    }
  }).length
}

async function signedHook(keys: LiveKitKeys, body: string): Promise<string> {
  const token = new AccessToken(keys.apiKey, keys.apiSecret, { ttl: 300 })
  token.sha256 = createHash('sha256').update(body).digest('base64')
  return token.toJwt()
}
