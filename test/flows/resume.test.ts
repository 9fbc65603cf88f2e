// A visitor whose connection breaks gets the same session back: here, in another process, and not for ever.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { subprotocol } from '../../gateway/protocol/realtime.ts'
import type { TestClient } from '../harness/client.ts'
import { startPair } from '../harness/pair.ts'
import { lastSeq, openParley, say, turnsOf, type Way, wayBack } from '../harness/returning-client.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

const question = 'Do you have a red sofa under 500?'
const session = z.object({ state: z.string(), endReason: z.string().optional(), seconds: z.number() })
const transcript = z.object({
  turns: z.array(z.object({ itemId: z.string(), text: z.string(), role: z.string(), state: z.string() })),
})

/** Asks for the session back and is closed in the same breath, as a request that waited on its way and was given up. */
async function knockAndLeave(wsUrl: string, token: string, back: Way): Promise<void> {
  const { host, hostname, port } = new URL(wsUrl)
  const offers = [
    subprotocol.parley,
    subprotocol.tokenPrefix + token,
    `${subprotocol.resumePrefix}${back.sessionId}.${back.token}.${back.lastSeq}`,
  ]
  const lines = [
    'GET /v1/realtime HTTP/1.1',
    `Host: ${host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    `Sec-WebSocket-Protocol: ${offers.join(', ')}`,
    `Origin: ${wsUrl.replace('ws', 'http')}`,
  ]
  const socket = connect({ port: Number(port), host: hostname })
  socket.resume()
  socket.end(`${lines.join('\r\n')}\r\n\r\n`)
  await once(socket, 'close')
}

async function turnsIn(gateway: TestGateway, sessionId: string) {
  return transcript.parse((await gateway.get(`/v1/sessions/${sessionId}/transcript`)).body).turns
}

const answered = (client: TestClient, nth = 1) => client.event('response.done', nth)
const committed = (client: TestClient, itemId: string) =>
  client.until(
    () => client.ofType('parley.committed').find((event) => JSON.stringify(event.item_ids).includes(itemId)),
    `${itemId} committed`,
  )

test('[S16] a connection that breaks and comes back continues the session: nothing missing, nothing twice', async () => {
  await using gateway = await startGateway()
  const token = await gateway.visitorToken()
  const first = await openParley(gateway.wsUrl, token)
  await first.event('parley.session')
  say(first, 'item_q1', question)
  await first.event('response.created')
  const back = wayBack(first)
  first.socket.terminate()
  await using second = await openParley(gateway.wsUrl, token, back)
  const hello = await second.event('parley.session')
  expect(hello).toMatchObject({ session_id: back.sessionId, seq: back.lastSeq, epoch: 1, resumed: { gap: false } })
  await answered(second)
  say(second, 'item_q1', question)
  say(second, 'item_q2', 'What are your delivery times?')
  await committed(second, 'item_q2')
  await second.until(
    () => (turnsOf(second.events).filter((t) => t.role === 'agent').length > 1 ? true : undefined),
    'a second answer',
  )
  const numbers = second.events
    .slice(second.events.indexOf(hello) + 1)
    .flatMap(({ seq }) => (typeof seq === 'number' ? [seq] : []))
  expect(numbers).toEqual(numbers.map((_, i) => back.lastSeq + 1 + i))
  await expect
    .poll(
      async () =>
        (await turnsIn(gateway, back.sessionId)).filter((t) => t.role !== 'tool' && t.state === 'final').length,
    )
    .toBe(4)
  const turns = await turnsIn(gateway, back.sessionId)
  expect(turns.filter((turn) => turn.role === 'user').map((turn) => turn.itemId)).toEqual(['item_q1', 'item_q2'])
})

test('[S16] what no longer fits into the replay is told as a gap, with the turns as they are', async () => {
  await using gateway = await startGateway()
  const token = await gateway.visitorToken()
  const first = await openParley(gateway.wsUrl, token)
  await first.event('parley.session')
  say(first, 'item_q1', question)
  await answered(first)
  const back = { ...wayBack(first), lastSeq: 1 }
  // Everything so far is acknowledged: a client that then claims to be at frame 1 cannot be served from the replay.
  first.send({ type: 'parley.ack', seq: lastSeq(first) })
  await new Promise((resolve) => setTimeout(resolve, 50))
  first.socket.terminate()
  await using second = await openParley(gateway.wsUrl, token, back)
  const hello = await second.event('parley.session')
  expect(hello).toMatchObject({ resumed: { gap: true } })
  expect(turnsOf([hello]).some((turn) => turn.itemId === 'item_q1')).toBe(true)
  say(second, 'item_q2', 'Thank you')
  await answered(second)
  expect(second.events.find((event) => typeof event.seq === 'number' && event.type !== 'parley.session')?.seq).toBe(
    Number(hello.seq) + 1,
  )
})

test('[S19] the newest connection wins, the older one is told so', async () => {
  await using gateway = await startGateway()
  const token = await gateway.visitorToken()
  await using first = await openParley(gateway.wsUrl, token)
  await first.event('parley.session')
  await using second = await openParley(gateway.wsUrl, token, wayBack(first))
  await second.event('parley.session')
  expect(await first.ended()).toMatchObject({ code: 4411 })
  say(second, 'item_q1', 'Hello')
  await answered(second)
})

test('[S16][S19] a call whose old connection is not known to be dead yet: the new player gets the rest of the sentence', async () => {
  await using gateway = await startGateway()
  const token = await gateway.visitorToken()
  await using first = await openParley(gateway.wsUrl, token)
  await first.event('parley.session')
  first.send({ type: 'parley.voice', on: true })
  const greeting = await first.until(() => [...first.audioBytes.keys()].find((id) => id !== ''), 'the greeting')
  await answered(first)
  first.send({ type: 'parley.played', item_id: greeting, played_ms: 600, final: true })
  await using second = await openParley(gateway.wsUrl, token, wayBack(first))
  await second.event('parley.session')
  second.send({ type: 'parley.voice', on: true })
  const rest = await second.until(() => [...second.audioBytes.keys()].find((id) => id !== ''), 'the rest')
  expect(rest).not.toBe(greeting)
  await answered(second)
  const turns = await turnsIn(gateway, wayBack(first).sessionId)
  expect(turns.find((turn) => turn.itemId === greeting)).toMatchObject({ state: 'interrupted' })
})

test('[TOK-11][S19] a resume token that was used and confirmed is a thief’s: both connections are closed', async () => {
  await using gateway = await startGateway()
  const token = await gateway.visitorToken()
  const first = await openParley(gateway.wsUrl, token)
  await first.event('parley.session')
  const back = wayBack(first)
  await using second = await openParley(gateway.wsUrl, token, back)
  await second.event('parley.session')
  second.send({ type: 'parley.ack', seq: 0 })
  await new Promise((resolve) => setTimeout(resolve, 50))
  await using thief = await openParley(gateway.wsUrl, token, back)
  expect(await thief.ended()).toMatchObject({ code: 4403 })
  expect(await second.ended()).toMatchObject({ code: 4403 })
})

test('[S19] the answer with the new token was lost: the token before is good until the client has shown the new one', async () => {
  await using gateway = await startGateway()
  const token = await gateway.visitorToken()
  const first = await openParley(gateway.wsUrl, token)
  await first.event('parley.session')
  const back = wayBack(first)
  first.socket.terminate()
  const lost = await openParley(gateway.wsUrl, token, back)
  lost.socket.terminate()
  await using second = await openParley(gateway.wsUrl, token, back)
  expect(await second.event('parley.session')).toMatchObject({ session_id: back.sessionId })
})

test('[S19] what a client sends before it has read the greeting does not show that the new token arrived', async () => {
  await using gateway = await startGateway()
  const token = await gateway.visitorToken()
  const first = await openParley(gateway.wsUrl, token)
  await first.event('parley.session')
  const back = wayBack(first)
  first.socket.terminate()
  const deaf = await openParley(gateway.wsUrl, token, back)
  deaf.socket.pause()
  say(deaf, 'item_q1', question)
  await expect.poll(async () => (await turnsIn(gateway, back.sessionId)).length).toBeGreaterThan(0)
  deaf.socket.terminate()
  await using second = await openParley(gateway.wsUrl, token, back)
  expect(await second.event('parley.session')).toMatchObject({ session_id: back.sessionId })
})

test('[S19] a connection that was given up on its way takes nothing from the one that lives', async () => {
  await using gateway = await startGateway()
  const token = await gateway.visitorToken()
  await using first = await openParley(gateway.wsUrl, token)
  await first.event('parley.session')
  const back = wayBack(first)
  for (let i = 0; i < 5; i++) await knockAndLeave(gateway.wsUrl, token, back)
  say(first, 'item_q1', question)
  await answered(first)
  expect(first.closed).toBeUndefined()
  const now = wayBack(first)
  first.socket.terminate()
  await using second = await openParley(gateway.wsUrl, token, now)
  const hello = await second.event('parley.session')
  expect(hello).toMatchObject({ session_id: back.sessionId, epoch: 1, resumed: { gap: false } })
  await using third = await openParley(gateway.wsUrl, token, wayBack(second))
  await third.event('parley.session')
  // Late, with a token that was spent long ago: whoever sent it is not there any more.
  third.send({ type: 'parley.ack', seq: 0 })
  for (let i = 0; i < 5; i++) await knockAndLeave(gateway.wsUrl, token, wayBack(second))
  say(third, 'item_q2', question)
  await answered(third)
  expect(third.closed).toBeUndefined()
})

test('[S19] a client that tries twice while the owner before lets go gets its session once, over the newer connection', async () => {
  await using two = await startPair()
  const { a, b } = two
  const token = await a.visitorToken()
  await using first = await openParley(a.wsUrl, token)
  await first.event('parley.session')
  first.send({ type: 'parley.voice', on: true })
  await answered(first)
  // In the middle of an answer its owner lets go after 2 s.
  say(first, 'item_q1', question)
  await committed(first, 'item_q1')
  await first.event('response.created', 2)
  const back = wayBack(first)
  await using early = await openParley(b.wsUrl, token, back)
  await new Promise((resolve) => setTimeout(resolve, 200))
  await using late = await openParley(b.wsUrl, token, back)
  expect(await early.ended()).toMatchObject({ code: 4411 })
  expect(await late.event('parley.session')).toMatchObject({ session_id: back.sessionId, epoch: 2 })
  const again = wayBack(late)
  late.socket.terminate()
  await using third = await openParley(b.wsUrl, token, again)
  expect(await third.event('parley.session')).toMatchObject({ epoch: 2, resumed: { gap: false } })
})

test('[TEN-04] nobody gets another person’s session, and an unknown one is gone', async () => {
  await using gateway = await startGateway()
  const token = await gateway.visitorToken()
  await using first = await openParley(gateway.wsUrl, token)
  await first.event('parley.session')
  const back = wayBack(first)
  const stranger = await gateway.visitorToken()
  await using other = await openParley(gateway.wsUrl, stranger, back)
  expect(await other.ended()).toMatchObject({ code: 4404 })
  await using unknown = await openParley(gateway.wsUrl, token, { ...back, sessionId: 'sess_none' })
  expect(await unknown.ended()).toMatchObject({ code: 4410 })
  await using guessed = await openParley(gateway.wsUrl, token, { ...back, token: 'A'.repeat(43) })
  expect(await guessed.ended()).toMatchObject({ code: 4410 })
  expect(first.closed).toBeUndefined()
})

test('[S17][S18] a client that comes back at another process goes on there: same session, same hold, no second greeting', async () => {
  await using two = await startPair()
  const { a, b } = two
  const token = await a.visitorToken()
  const first = await openParley(a.wsUrl, token)
  await first.event('parley.session')
  say(first, 'item_q1', question)
  await answered(first)
  await committed(first, 'item_q1')
  const back = wayBack(first)
  await using second = await openParley(b.wsUrl, token, back)
  const hello = await second.event('parley.session')
  expect(hello).toMatchObject({ session_id: back.sessionId, epoch: 2, resumed: { gap: false } })
  expect(await first.ended()).toMatchObject({ code: 1012 })
  say(second, 'item_q2', 'And in blue?')
  await committed(second, 'item_q2')
  await answered(second)
  const turns = await turnsIn(b, back.sessionId)
  expect(turns.filter((turn) => turn.role === 'user').map((turn) => turn.itemId)).toEqual(['item_q1', 'item_q2'])
  second.send({ type: 'parley.bye' })
  await second.ended()
  await expect
    .poll(async () => session.parse((await b.get(`/v1/sessions/${back.sessionId}`)).body))
    .toMatchObject({
      state: 'ended',
      endReason: 'client_ended',
    })
  const entries = z
    .object({ items: z.array(z.object({ id: z.string() })) })
    .parse((await b.get('/v1/credits/entries')).body)
  expect(entries.items.filter((entry) => entry.id.startsWith('settle:'))).toHaveLength(1)
})

test('[S17] a process that dies in the middle of an answer: the next one goes on with it, and greets nobody', async () => {
  await using two = await startPair()
  const { a, b } = two
  const token = await a.visitorToken()
  const first = await openParley(a.wsUrl, token)
  await first.event('parley.session')
  first.send({ type: 'parley.voice', on: true })
  await answered(first)
  const [[greeting = '', bytes = 0] = []] = first.audioBytes
  first.send({ type: 'parley.played', item_id: greeting, played_ms: bytes / 48, final: true })
  say(first, 'item_q1', question)
  await committed(first, 'item_q1')
  await first.until((client) => (client.audioBytes.size > 1 ? true : undefined), 'speech of the answer')
  const back = wayBack(first)
  // As a killed process: nothing of it answers any more, its writes do not arrive.
  const sessions = a.app.slices.sessions
  await a.app.slices.bus.close()
  await using second = await openParley(b.wsUrl, token, back)
  expect(await second.event('parley.session')).toMatchObject({ epoch: 2, resumed: { gap: true } })
  second.send({ type: 'parley.voice', on: true })
  await answered(second)
  await expect.poll(() => sessions.liveCount, { timeout: 20_000 }).toBe(0)
  const turns = await turnsIn(b, back.sessionId)
  expect(turns.filter((turn) => turn.role === 'user').map((turn) => turn.itemId)).toEqual(['item_q1'])
  const agent = turns.filter((turn) => turn.role === 'agent')
  expect(agent[0]).toMatchObject({ itemId: greeting, state: 'final' })
  expect(agent.filter(({ text }) => text === agent[0]?.text)).toHaveLength(1)
  expect(second.ofType('parley.end')).toEqual([])
}, 40_000)

test('[S18] a gateway that stops hands its sessions over: no client sees more than 1012, and the conversation goes on', async () => {
  await using two = await startPair({ PARLEY_DRAIN_SECONDS: '8' })
  const { a, b } = two
  const token = await a.visitorToken()
  const clients = await Promise.all(
    Array.from({ length: 6 }, async (_, i) => {
      const client = await openParley(a.wsUrl, i === 0 ? token : await a.visitorToken())
      await client.event('parley.session')
      say(client, `item_a${i}`, 'Hello')
      await answered(client)
      return client
    }),
  )
  const drained = a.app.slices.sessions.drain()
  const first = clients[0]
  if (first === undefined) throw new Error('no client')
  const leaving = await first.event('parley.going_away')
  expect(Number(leaving.reconnect_in_ms)).toBeLessThanOrEqual(2_000)
  await using moved = await openParley(b.wsUrl, token, wayBack(first))
  expect(await moved.event('parley.session')).toMatchObject({ epoch: 2, resumed: { gap: false } })
  expect(await first.ended()).toMatchObject({ code: 1012 })
  say(moved, 'item_b', 'And again')
  await committed(moved, 'item_b')
  await drained
  for (const client of clients) expect((await client.ended()).code).toBe(1012)
  // Who did not move in time finds the session waiting.
  expect(session.parse((await b.get(`/v1/sessions/${wayBack(moved).sessionId}`)).body).state).toBe('live')
  const second = clients[1]
  if (second === undefined) throw new Error('no client')
  expect(session.parse((await b.get(`/v1/sessions/${wayBack(second).sessionId}`)).body).state).not.toBe('ended')
}, 40_000)
