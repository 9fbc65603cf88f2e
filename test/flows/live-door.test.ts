// The raw wire of /v1/live/sessions over every kind of engine: talk, typed context, work by delegation, interruption, mute,
// the end, and the loss of the engine.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { connectLive, type LiveClient } from '../harness/live-client.ts'
import { type LivePlace, liveEngines, openLivePlace } from '../harness/live-places.ts'
import { silencePcm } from '../harness/speech.ts'

const long =
  'The Alba sofa has two seats, washable covers and solid beech legs. It costs less than four hundred, and we bring it home.'

const turnsBody = z.object({
  turns: z.array(
    z.object({
      role: z.string(),
      state: z.string(),
      text: z.string(),
      unheard: z.string().optional(),
      tool: z.object({ name: z.string(), state: z.string(), output: z.string().optional() }).optional(),
      audio: z.object({ sentMs: z.number(), playedMs: z.number() }).optional(),
    }),
  ),
})
const startedBody = z.object({
  session: z.object({ id: z.string(), expires_at: z.number(), status: z.literal('active') }),
})
const delegationBody = z.object({ delegation: z.object({ id: z.string(), target: z.string() }), offset_ms: z.number() })
const closedBody = z.object({ reason: z.string(), usage: z.object({ seconds: z.number() }) })

describe.each(liveEngines)('a Live session answered by %s', (engine) => {
  let place: LivePlace
  beforeAll(async () => {
    place = await openLivePlace(engine)
    place.answers(/red sofa/, { say: long })
    place.answers(/the weather/, { call: 'delegate' })
    place.answers(/drizzle/i, { say: 'It is raining a little.' })
    place.answers(/tiny stool/, { say: 'Yes.' })
  })
  afterAll(() => place[Symbol.asyncDispose]())

  async function call(session: object = {}): Promise<{ client: LiveClient; sessionId: string }> {
    const client = await connectLive(place.gateway.wsUrl, { token: place.gateway.apiKey })
    client.send({ type: 'session.start', event_id: 'start', session: { model: 'productco', ...session } })
    const { session: started } = startedBody.parse(await client.event('session.started'))
    return { client, sessionId: started.id }
  }

  async function turnsOf(sessionId: string) {
    return turnsBody.parse((await place.gateway.get(`/v1/sessions/${sessionId}/transcript`)).body).turns
  }

  async function bye(client: LiveClient, sessionId: string): Promise<void> {
    client.send({ type: 'session.close', event_id: 'bye' })
    const closed = await client.event('session.closed')
    expect(closed).toMatchObject({ reason: 'close_requested', client_event_id: 'bye' })
    expect(closedBody.parse(closed).usage.seconds).toBeGreaterThan(0)
    expect(await client.ended()).toMatchObject({ code: 1000 })
    await expect
      .poll(async () => (await place.gateway.get(`/v1/sessions/${sessionId}`)).body, { timeout: 10_000 })
      .toMatchObject({ state: 'ended', endReason: 'client_ended', channel: 'api' })
  }

  test('talk: what was said comes as words and sound, at the pace of speech', async () => {
    const { client, sessionId } = await call()
    await using _ = client
    expect(client.events[0]).toMatchObject({ type: 'session.started', client_event_id: 'start' })
    place.hears('Do you have a tiny stool?')
    place.answers(/tiny stool/, { say: long })
    const beganMs = performance.now()
    await client.speak('Do you have a tiny stool?')
    await client.until(({ soundBytes }) => soundBytes > 48_000 || undefined, 'a second of sound')
    const tookMs = performance.now() - beganMs
    expect(client.said('input')).toBe('Do you have a tiny stool?')
    expect(client.soundBytes / 48).toBeLessThan(tookMs + 300)
    await client.until(
      (each) => (each.said('output').replace(/\s+/g, ' ').trim() === long ? true : undefined),
      'all words',
      30_000,
    )
    await client.quiet()
    for (const { event_id, start_ms, end_ms } of [
      ...client.of('session.input_transcript.delta'),
      ...client.of('session.output_transcript.delta'),
    ]) {
      expect(event_id).toMatch(/\S/)
      expect(Number.isSafeInteger(start_ms) && Number.isSafeInteger(end_ms)).toBe(true)
      expect(Number(end_ms)).toBeGreaterThanOrEqual(Number(start_ms))
    }
    expect(client.of('error')).toEqual([])
    await bye(client, sessionId)
    expect((await turnsOf(sessionId)).map(({ role, state, text }) => [role, state, text.replace(/\s+/g, ' ')])).toEqual(
      [
        ['user', 'final', 'Do you have a tiny stool?'],
        ['agent', 'final', long],
      ],
    )
  })

  test('typed context: silent facts, sentences to be said, instructions that are acted on at once', async () => {
    const { client, sessionId } = await call({
      input: [{ role: 'user', content: [{ type: 'input_text', text: 'red sofa' }] }],
    })
    await using _ = client
    client.send({
      type: 'session.thinking.append',
      event_id: 'fact',
      content: 'The caller is Ada.',
      delegation_id: null,
    })
    expect(await client.event('session.thinking.appended')).toMatchObject({
      client_event_id: 'fact',
      start_ms: expect.any(Number),
    })
    if (engine !== 'cascade') await expect.poll(() => place.told()).toContain('Ada')
    client.send({ type: 'session.commentary.append', content: 'Your parcel is here.', delegation_id: null })
    await client.event('session.commentary.appended')
    await client.until((each) => /parcel is here/.test(each.said('output')) || undefined, 'the sentence')
    for (let silent = 0; silent < 12; silent++) client.hear(silencePcm(100))
    client.send({ type: 'session.instructions.append', content: 'Answer the question now.', delegation_id: null })
    await client.event('session.instructions.appended')
    await client.until((each) => /The Alba/.test(each.said('output')) || undefined, 'the answer')
    client.send({ type: 'session.instructions.append', content: 'Stop speaking.', delegation_id: null })
    await client.event('session.instructions.appended', 2)
    await expect.poll(async () => (await turnsOf(sessionId)).at(-1)?.state, { timeout: 5_000 }).toBe('interrupted')
    await bye(client, sessionId)
  })

  test('work: the agent hands it to the client, whose answer is spoken', async () => {
    const { client, sessionId } = await call({ delegation: { type: 'client' } })
    await using _ = client
    place.hears('What is the weather?')
    await client.speak('What is the weather?')
    const { delegation } = delegationBody.parse(await client.event('session.delegation.created'))
    expect(delegation.target).toBe('client')
    client.send({ type: 'session.thinking.append', content: 'Looking at the sky.', delegation_id: delegation.id })
    await client.event('session.thinking.appended')
    client.send({
      type: 'session.commentary.append',
      content: 'A drizzle at 11 degrees.',
      delegation_id: delegation.id,
    })
    await client.event('session.commentary.appended')
    await client.until((each) => /raining a little/.test(each.said('output')) || undefined, 'the answer')
    client.send({ type: 'session.commentary.append', event_id: 'no', content: 'x', delegation_id: 'dlg_none' })
    expect(await client.event('error')).toMatchObject({
      error: { code: 'invalid_value', param: 'delegation_id', client_event_id: 'no' },
    })
    await bye(client, sessionId)
    const tool = (await turnsOf(sessionId)).find(({ role }) => role === 'tool')
    expect(tool).toMatchObject({ tool: { name: 'delegate', state: 'ok', output: 'A drizzle at 11 degrees.' } })
  })

  test('interruption: who speaks over the agent stops it, and what was not heard is written as unheard', async () => {
    const { client, sessionId } = await call()
    await using _ = client
    place.hears('Do you have a red sofa?')
    await client.speak('Do you have a red sofa?')
    await client.until(({ soundBytes }) => soundBytes > 48 * 1_500 || undefined, 'a second and a half of sound')
    place.hears('Do you have a tiny stool?')
    place.answers(/tiny stool/, { say: 'Yes.' })
    await client.speak('Do you have a tiny stool?', 'real time')
    await client.until((each) => /Yes\./.test(each.said('output')) || undefined, 'the second answer')
    const words = client.said('output')
    expect(words).not.toContain('home')
    await expect
      .poll(async () => (await turnsOf(sessionId)).filter(({ role }) => role === 'agent')[0], { timeout: 5_000 })
      .toMatchObject({ state: 'interrupted', unheard: expect.stringMatching(/\S/) })
    const [cut] = (await turnsOf(sessionId)).filter(({ role }) => role === 'agent')
    // No word was told as transcript that is written as unheard, but for the one that was being said.
    const toldOfFirst = words.slice(0, words.indexOf('Yes.')).trim().split(/\s+/).length
    const heard = cut?.text.trim().split(/\s+/).length ?? 0
    expect(Math.abs(toldOfFirst - heard)).toBeLessThanOrEqual(3)
    await bye(client, sessionId)
  })

  test('mute: nothing is heard until it is lifted', async () => {
    const { client, sessionId } = await call()
    await using _ = client
    client.send({ type: 'session.input_audio.mute', event_id: 'm' })
    expect(await client.event('session.input_audio.muted')).toMatchObject({ client_event_id: 'm' })
    place.hears('Do you have a tiny stool?')
    await client.speak('Nobody hears this.')
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(client.said('input')).toBe('')
    client.send({ type: 'session.input_audio.unmute' })
    await client.event('session.input_audio.unmuted')
    await client.speak('Do you have a tiny stool?')
    await client.until((each) => each.said('input') === 'Do you have a tiny stool?' || undefined, 'the words')
    await bye(client, sessionId)
  })

  test('a lost engine is replaced behind the session; one that stays away ends it with words', async () => {
    const { client } = await call()
    await using _ = client
    place.answers(/tiny stool/, { say: 'Yes.' })
    place.breaks()
    place.hears('Do you have a tiny stool?')
    await client.speak('Do you have a tiny stool?')
    await client.until((each) => /Yes\./.test(each.said('output')) || undefined, 'the answer')
    place.staysAway()
    place.hears('Do you have a red sofa?')
    await client.speak('Do you have a red sofa?')
    if (engine === 'cascade') {
      // Its servers are asked anew each time: an answer fails, the session stays.
      expect(await client.event('error')).toMatchObject({ error: { type: 'server_error' } })
      return
    }
    expect(await client.event('error')).toMatchObject({ error: { type: 'server_error', code: 'engine_lost' } })
    expect(await client.event('session.closed')).toMatchObject({ reason: 'connection_lost' })
    expect(await client.ended()).toMatchObject({ code: 4502 })
    // One that refuses at the start is a start that failed.
    await using refused = await connectLive(place.gateway.wsUrl, { token: place.gateway.apiKey })
    refused.send({ type: 'session.start', event_id: 'start', session: { model: 'productco' } })
    expect(await refused.event('error')).toMatchObject({ error: { code: 'engine_refused', client_event_id: 'start' } })
    expect(await refused.ended()).toMatchObject({ code: 4502 })
    expect(refused.types).toEqual(['error'])
  })
})
