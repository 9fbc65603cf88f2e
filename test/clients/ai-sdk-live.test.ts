// The stock `@ai-sdk/openai` Live model, unmodified, against the gateway. It makes and reads the events, strictly; the
// socket is the application's.

import { createOpenAI } from '@ai-sdk/openai'
import type { Experimental_RealtimeModelV4ServerEvent as ServerEvent } from '@ai-sdk/provider'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { type LivePlace, liveEngines, openLivePlace } from '../harness/live-places.ts'
import { pieces, silencePcm, speechPcm } from '../harness/speech.ts'
import { until } from './place.ts'

const answer = 'The Alba sofa has two seats, washable covers and solid beech legs.'

type Of<T extends ServerEvent['type']> = Extract<ServerEvent, { type: T }>

describe.each(liveEngines)("the AI SDK's Live model, answered by %s", (engine) => {
  let place: LivePlace
  beforeAll(async () => {
    place = await openLivePlace(engine)
    place.answers(/red sofa/, { say: answer })
    place.answers(/the weather/, { call: 'delegate' })
    place.answers(/drizzle/i, { say: 'It is raining a little.' })
  })
  afterAll(() => place[Symbol.asyncDispose]())

  test('talk, context, work by delegation, mute, the end: every event is one it knows', async () => {
    const openai = createOpenAI({ apiKey: place.gateway.apiKey, baseURL: `${place.gateway.url}/v1` })
    const model = openai.experimental_realtime('productco', { api: 'live' })
    const { url, headers } = await model.getServerWebSocketConfig()
    const socket = new WebSocket(url, { headers })
    const parse = model.createServerEventParser()
    const events: ServerEvent[] = []
    let closed: number | undefined
    socket.on('message', (data: Buffer) => void events.push(...parse(JSON.parse(data.toString()))))
    socket.on('close', (code) => {
      closed = code
    })
    await new Promise((resolve) => socket.once('open', resolve))
    const send = (event: Parameters<typeof model.serializeClientEvent>[0]): void =>
      socket.send(JSON.stringify(model.serializeClientEvent(event)))
    const of = <T extends ServerEvent['type']>(type: T): Of<T>[] =>
      events.filter((each): each is Of<T> => each.type === type)
    const wait = <T>(find: () => T | undefined, what: string): Promise<T> =>
      until(
        find,
        () => `${what}; got ${JSON.stringify(events.filter(({ type }) => type !== 'audio-chunk')).slice(-800)}`,
        30_000,
      )
    const said = (speaker: string): string =>
      of('transcript-fragment')
        .filter((each) => each.speaker === speaker)
        .map(({ delta }) => delta)
        .join('')
    const speak = async (text: string): Promise<void> => {
      const pcm = Buffer.concat([silencePcm(200), await speechPcm(text), silencePcm(1_000)])
      for (const piece of pieces(pcm)) send({ type: 'input-audio-append', audio: piece.toString('base64') })
    }

    send({ type: 'session-start', config: { instructions: 'Be brief.' } })
    const started = await wait(() => of('session-started')[0], 'the start')
    expect(started.delegationMode).toBe('client')

    place.hears('Do you have a red sofa?')
    await speak('Do you have a red sofa?')
    await wait(() => (said('assistant').replace(/\s+/g, ' ').trim() === answer ? true : undefined), 'the answer')
    expect(said('user')).toBe('Do you have a red sofa?')
    expect(of('audio-chunk').length).toBeGreaterThan(10)

    send({ type: 'context-append', eventId: 'c', content: 'The caller is Ada.', delegationId: null })
    await wait(() => of('command-acknowledged').find(({ clientEventId }) => clientEventId === 'c'), 'the fact')

    place.hears('What is the weather?')
    await speak('What is the weather?')
    const { delegationId, target } = await wait(() => of('delegation-created')[0], 'the work')
    expect(target).toBe('client')
    const spoken = { providerOptions: { openai: { channel: 'commentary' } } }
    send({ type: 'context-append', content: 'A drizzle at 11 degrees.', delegationId, ...spoken })
    await wait(() => /raining a little/.test(said('assistant')) || undefined, 'the answer')

    send({ type: 'input-audio-mute' })
    send({ type: 'input-audio-unmute' })
    const acknowledged = () => of('command-acknowledged').map(({ command }) => command)
    await wait(() => acknowledged().includes('session.input_audio.unmute') || undefined, 'the microphone')
    send({ type: 'session-close' })
    const end = await wait(() => of('session-closed')[0], 'the end')
    expect(end).toMatchObject({ reason: 'close_requested', sessionId: started.sessionId })
    expect(end.usage?.seconds).toBeGreaterThan(0)
    await wait(() => closed, 'the close')
    expect(closed).toBe(1000)
    expect(of('error')).toEqual([])
    expect(of('custom')).toEqual([])
  })
})
