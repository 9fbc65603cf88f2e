// The stock `openai` package's Live clients, unmodified, against the gateway: the primary WebSocket, a sideband attached to
// it, the HTTP calls, and the helper that groups transcripts.

import OpenAI from 'openai'
import { TranscriptGrouper, type TranscriptSegment } from 'openai/helpers/live'
import type { ClientEvent, ServerEvent, SessionConfig } from 'openai/resources/live/live'
import type { ConnectServerEvent } from 'openai/resources/live/sideband/sideband'
import { SidebandWS } from 'openai/resources/live/sideband/ws'
import { LiveWS } from 'openai/resources/live/ws'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LivePlace, liveEngines, openLivePlace } from '../harness/live-places.ts'
import { pieces, silencePcm, speechPcm } from '../harness/speech.ts'
import { turnsOf, until } from './place.ts'

type Type = ServerEvent['type']
type Event<T extends Type> = Extract<ServerEvent, { type: T }>

const answer = 'The Alba sofa has two seats, washable covers and solid beech legs, and it costs less than four hundred.'

/** What came out of the stock client, in order. */
class Talk implements AsyncDisposable {
  readonly events: ServerEvent[] = []
  readonly errors: Event<'error'>['error'][] = []
  /** What the package's own helper makes of the transcript. */
  readonly groups: TranscriptSegment[] = []
  closed: number | undefined
  readonly #client: LiveWS

  constructor(client: LiveWS) {
    this.#client = client
    const grouper = new TranscriptGrouper()
    grouper.on('segment.closed', ({ segment }) => this.groups.push(segment))
    client.on('event', (event) => {
      this.events.push(event)
      grouper.push(event)
    })
    client.on('error', ({ error }) => {
      if (error !== undefined) this.errors.push(error.error)
    })
    client.on('close', (code) => {
      this.closed = code
    })
  }

  send(event: ClientEvent): void {
    this.#client.send(event)
  }

  of<T extends Type>(type: T): Event<T>[] {
    return this.events.filter((event): event is Event<T> => event.type === type)
  }

  event<T extends Type>(type: T, count = 1): Promise<Event<T>> {
    return this.until(() => this.of(type)[count - 1], `${type} × ${count}`)
  }

  until<T>(find: () => T | undefined, what: string): Promise<T> {
    const types = () => this.events.map(({ type }) => type).filter((type, i, all) => type !== all[i - 1])
    return until(find, () => `${what}; got ${JSON.stringify(types())}, errors ${JSON.stringify(this.errors)}`, 30_000)
  }

  said(side: 'input' | 'output'): string {
    return this.of(`session.${side}_transcript.delta`)
      .map(({ delta }) => delta)
      .join('')
  }

  get heardMs(): number {
    const deltas = this.of('session.output_audio.delta')
    return deltas.reduce((sum, { delta }) => sum + Buffer.from(delta, 'base64').length, 0) / 48
  }

  /** In real time, with silence after it: the stream of an open microphone. */
  async speak(text: string): Promise<void> {
    const pcm = Buffer.concat([silencePcm(200), await speechPcm(text), silencePcm(1_000)])
    const beganMs = performance.now()
    for (const [i, piece] of [...pieces(pcm)].entries()) {
      const aheadMs = i * 100 - (performance.now() - beganMs)
      if (aheadMs > 0) await new Promise((resolve) => setTimeout(resolve, aheadMs))
      this.send({ type: 'session.input_audio.append', audio: piece.toString('base64') })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close()
    await Promise.resolve()
  }
}

describe.each(liveEngines)('the stock OpenAI Live client, answered by %s', (engine) => {
  let place: LivePlace
  let client: OpenAI
  beforeAll(async () => {
    place = await openLivePlace(engine)
    place.answers(/red sofa/, { say: answer })
    place.answers(/the weather/, { call: 'delegate' })
    place.answers(/drizzle/i, { say: 'It is raining a little.' })
    place.answers(/opening hours/, { say: 'From nine to six.' })
    client = new OpenAI({ apiKey: place.gateway.apiKey, baseURL: `${place.gateway.url}/v1`, maxRetries: 0 })
  })
  afterAll(() => place[Symbol.asyncDispose]())

  async function start(session: Partial<SessionConfig> = {}): Promise<{ talk: Talk; id: string }> {
    const talk = new Talk(new LiveWS(client))
    talk.send({ type: 'session.start', event_id: 'start', session: { model: 'productco', ...session } })
    const started = await talk.event('session.started')
    expect(started.client_event_id).toBe('start')
    return { talk, id: started.session.id }
  }

  test('talk, typed context, work by delegation, mute, the end; a sideband sees all of it', async () => {
    const { talk, id } = await start({ delegation: { type: 'client' } })
    await using _ = talk
    const side = new SidebandWS(client, { session_id: id, graceful_close: true })
    const seen: ConnectServerEvent[] = []
    side.on('event', (event) => seen.push(event))
    side.on('error', ({ message }) => expect.unreachable(message))
    await until(
      () => seen.find(({ type }) => type === 'session.started'),
      () => 'the sideband',
    )

    place.hears('Do you have a red sofa?')
    await talk.speak('Do you have a red sofa?')
    await talk.until(
      () => (talk.said('output').replace(/\s+/g, ' ').trim() === answer ? true : undefined),
      'the answer',
    )
    expect(talk.said('input')).toBe('Do you have a red sofa?')
    expect(talk.heardMs).toBeGreaterThan(1_000)

    const beforeMs = talk.heardMs
    side.send({
      type: 'session.commentary.append',
      event_id: 'aside',
      content: 'Your parcel is here.',
      delegation_id: null,
    })
    expect(await talk.event('session.commentary.appended')).toMatchObject({ client_event_id: 'aside' })
    await talk.until(() => /parcel is here/.test(talk.said('output')) || undefined, 'the sentence')
    await talk.until(() => talk.heardMs > beforeMs || undefined, 'its sound')

    place.hears('What is the weather?')
    await talk.speak('What is the weather?')
    const { delegation } = await talk.event('session.delegation.created')
    expect(delegation).toMatchObject({ type: 'delegation', target: 'client' })
    talk.send({ type: 'session.thinking.append', content: 'Looking out of the window.', delegation_id: delegation.id })
    talk.send({ type: 'session.commentary.append', content: 'A drizzle at 11 degrees.', delegation_id: delegation.id })
    await talk.event('session.commentary.appended', 2)
    await talk.until(() => /raining a little/.test(talk.said('output')) || undefined, 'the answer')

    talk.send({ type: 'session.input_audio.mute' })
    await talk.event('session.input_audio.muted')
    const words = talk.said('input')
    await talk.speak('Nobody hears this.')
    expect(talk.said('input')).toBe(words)
    talk.send({ type: 'session.input_audio.unmute' })
    await talk.event('session.input_audio.unmuted')

    talk.send({ type: 'session.close' })
    const closed = await talk.event('session.closed')
    expect(closed).toMatchObject({ reason: 'close_requested', session: { id, status: 'active' } })
    expect(closed.usage.seconds).toBeGreaterThan(1)
    await talk.until(() => (talk.closed === 1000 ? true : undefined), 'the close')
    await until(
      () => seen.find(({ type }) => type === 'session.closed'),
      () => 'the end on the sideband',
    )
    const heard = seen.filter(
      (event): event is Event<'session.output_audio.delta'> => event.type === 'session.output_audio.delta',
    )
    expect(heard.every(({ start_ms = -1, end_ms = -1 }) => start_ms >= 0 && end_ms > start_ms)).toBe(true)
    expect(seen.some(({ type }) => type === 'session.input_audio.append')).toBe(true)
    expect(talk.errors).toEqual([])

    // Its own policy drops short acknowledgements; what a speaker said in one go it must group as that.
    const groups = talk.groups.map(({ speaker, text }) => `${speaker}: ${text.replace(/\s+/g, ' ').trim()}`)
    expect(groups.slice(0, 2)).toEqual([
      'user: Do you have a red sofa?',
      expect.stringContaining(`assistant: ${answer}`),
    ])
    expect((await turnsOf(place.gateway, id)).some(({ tool }) => tool?.output === 'A drizzle at 11 degrees.')).toBe(
      true,
    )
  })

  test('who speaks over the agent stops it; an engine that is lost is replaced', async () => {
    const { talk, id } = await start()
    await using _ = talk
    place.hears('Do you have a red sofa?')
    await talk.speak('Do you have a red sofa?')
    await talk.until(() => talk.heardMs > 1_000 || undefined, 'a second of it')
    place.hears('What are your opening hours?')
    await talk.speak('What are your opening hours?')
    await talk.until(() => /From nine to six/.test(talk.said('output')) || undefined, 'the second answer')
    expect(talk.said('output')).not.toContain('hundred')
    const [cut] = (await turnsOf(place.gateway, id)).filter(({ role }) => role === 'agent')
    expect(cut).toMatchObject({ state: 'interrupted', unheard: expect.stringMatching(/\S/) })

    place.breaks()
    place.hears('What are your opening hours?')
    const before = talk.said('output').length
    await talk.speak('What are your opening hours?')
    await talk.until(() => /nine to six/.test(talk.said('output').slice(before)) || undefined, 'the answer of another')
    await client.live.sessions.hangup(id)
    expect(await talk.event('session.closed')).toMatchObject({ reason: 'close_requested' })
    await expect(client.live.sessions.hangup(id)).rejects.toMatchObject({ status: 409 })
    expect(talk.errors).toEqual([])
  })
})
