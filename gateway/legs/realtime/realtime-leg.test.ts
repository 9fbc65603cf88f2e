import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../../test/harness/clock.ts'
import type { Capabilities, EngineEvent } from '../../engines/engines.ts'
import { Problem } from '../../platform/problem.ts'
import { samplesPerMs } from '../media/sink.ts'
import type { Channel, ChannelEvents, Frame } from './channel.ts'
import { RealtimeLeg } from './realtime-leg.ts'

type Told = { readonly type: string } & Readonly<Record<string, unknown>>

class FakeChannel implements Channel {
  readonly parley: boolean
  isOpen = true
  bufferedBytes = 0
  closedWith: string | undefined
  readonly frames: Frame[] = []
  #events: ChannelEvents | undefined

  constructor(parley = false) {
    this.parley = parley
  }
  get told(): Told[] {
    return this.frames.filter((frame) => typeof frame === 'string').map((frame) => JSON.parse(frame))
  }
  get types(): string[] {
    return this.told.map(({ type }) => type)
  }
  receive(events: ChannelEvents): void {
    this.#events = events
  }
  send(frame: Frame): void {
    this.frames.push(frame)
  }
  ping(): void {}
  pause(): void {}
  resume(): void {}
  close(problem?: Problem): void {
    this.isOpen = false
    this.closedWith = problem?.code ?? 'closed'
  }
  terminate(): void {
    this.close(new Problem('too_slow'))
    this.#events?.closed()
  }
}

function setup(options: { plays?: boolean; parley?: boolean; dialect?: Capabilities['dialect'] } = {}) {
  const clock = new ManualClock()
  const { plays = true, parley = false, dialect = 'none' } = options
  const leg = new RealtimeLeg({ clock, kind: 'webrtc', parley, plays })
  const played: (readonly [string, number, boolean])[] = []
  const said: string[] = []
  const capabilities = { dialect, hears: 'words' } as Capabilities
  leg.begin({
    opened: {
      sessionId: 'sess_1',
      conversationId: 'conv_1',
      engine: { kind: 'demo', model: 'demo', demo: true },
      epoch: 1,
    },
    capabilities: () => capabilities,
    serverTools: new Set(),
    modality: () => 'audio',
    voice: () => 'slt',
    onSlow: (slow) => void said.push(`slow ${slow}`),
    onLost: () => void said.push('lost'),
    onAsleep: () => {},
    onPlayed: (...report) => void played.push(report),
    onBroken: () => void said.push('broken'),
  })
  const frames = { count: 0, sounding: 0 }
  const sink = {
    delayMs: 60,
    continuous: false,
    play: (frame: Int16Array) => {
      frames.count++
      if (frame.some((sample) => sample !== 0)) frames.sounding++
    },
  }
  const channel = new FakeChannel(parley)
  leg.attach(
    { kind: 'webrtc', channel, ...(plays ? { sink } : {}) },
    { created: {}, resumeToken: undefined, voice: true, history: [] },
  )
  const event = (each: Record<string, unknown>): void =>
    leg.engineEvent({ source: 'provider', responseId: 'r', itemId: 'a', ...each } as unknown as EngineEvent)
  const audio = (ms: number, wire?: Buffer): void =>
    event({ type: 'audio', pcm: Buffer.alloc(ms * samplesPerMs * 2, 1), ms, ...(wire === undefined ? {} : { wire }) })
  return { clock, leg, channel, played, said, frames, event, audio }
}

describe('a leg whose connection has a track', () => {
  test('says everything but the audio, and tells when its own player begins and ends', async () => {
    const { clock, channel, event, audio, played, frames } = setup()
    event({ type: 'responseStarted' })
    event({ type: 'agentItem' })
    event({ type: 'agentText', spoken: true, delta: 'Good day.' })
    audio(300)
    event({ type: 'audioDone' })
    event({ type: 'responseDone', status: 'completed' })
    await clock.advance(1_000)
    expect(channel.types).toEqual([
      'session.created',
      'response.created',
      'rate_limits.updated',
      'response.output_item.added',
      'conversation.item.added',
      'response.content_part.added',
      'response.output_audio_transcript.delta',
      'output_audio_buffer.started',
      'response.output_audio.done',
      'response.output_audio_transcript.done',
      'response.content_part.done',
      'conversation.item.done',
      'response.output_item.done',
      'response.done',
      'output_audio_buffer.stopped',
    ])
    expect(channel.told.at(-1)).toMatchObject({ response_id: 'r', event_id: expect.any(String) })
    expect(frames.sounding).toBe(30)
    expect(played.at(-1)).toEqual(['a', 300, true])
  })

  test('a provider’s frames go on as they are, its audio deltas into the player', async () => {
    const { clock, channel, event, audio, frames } = setup({ dialect: 'openai-realtime-ga' })
    event({ type: 'responseStarted', wire: Buffer.from('{"type":"response.created"}') })
    audio(200, Buffer.from('{"type":"response.output_audio.delta"}'))
    event({ type: 'audioDone', wire: Buffer.from('{"type":"response.output_audio.done"}') })
    await clock.advance(1_000)
    expect(channel.frames.map(String).map((frame) => JSON.parse(frame).type)).toEqual([
      'session.created',
      'response.created',
      'output_audio_buffer.started',
      'response.output_audio.done',
    ])
    expect(frames.sounding).toBe(20)
  })

  test('a flush empties the player, says so once, and tells no extension to a stock client', async () => {
    const { clock, channel, leg, event, audio, played, frames } = setup()
    event({ type: 'responseStarted' })
    audio(3_000)
    await clock.advance(1_000)
    leg.flush('a')
    const { sounding } = frames
    await clock.advance(3_000)
    expect(frames.sounding).toBe(sounding)
    expect(played.at(-1)).toEqual(['a', 940, true])
    expect(channel.types.filter((type) => type.startsWith('output_audio_buffer'))).toEqual([
      'output_audio_buffer.started',
      'output_audio_buffer.cleared',
    ])
    expect(channel.types.some((type) => type.startsWith('parley'))).toBe(false)
  })

  test('an engine that does not stop ends the session instead of losing its words', () => {
    const { channel, audio, said } = setup()
    for (let s = 0; s < 250; s++) audio(1_000)
    expect(said).toContain('broken')
    expect(channel.told.at(-1)).toMatchObject({ type: 'error', error: { code: 'too_slow' } })
    expect(channel.closedWith).toBe('too_slow')
  })

  test('player and channel may be slow at once: the engine goes on when neither is', async () => {
    const { clock, channel, leg, audio, said } = setup()
    for (let s = 0; s < 122; s++) audio(1_000)
    expect(said).toEqual(['slow true'])
    channel.bufferedBytes = 1_000_000
    leg.send({ type: 'x' })
    leg.flush('a')
    expect(said).toEqual(['slow true'])
    channel.bufferedBytes = 0
    await clock.advance(50)
    expect(said).toEqual(['slow true', 'slow false'])
  })

  test('a lost connection tells how far its player came, then that it is gone', async () => {
    const { clock, channel, leg, audio, played, said } = setup()
    audio(3_000)
    await clock.advance(990)
    leg.detach(channel)
    expect(played.at(-1)).toEqual(['a', 930, false])
    expect(said).toEqual(['lost'])
  })
})

test('a channel that takes nothing is cut off after five seconds', async () => {
  const { clock, channel, leg, said } = setup({ plays: false })
  channel.bufferedBytes = 1_000_000
  leg.send({ type: 'x' })
  expect(said).toEqual(['slow true'])
  await clock.advance(6_000)
  expect(said).toEqual(['slow true', 'slow false', 'lost'])
  expect(channel.isOpen).toBe(false)
})

test('a peer without a sign of life is lost', async () => {
  const { clock, leg, channel, said } = setup()
  await clock.advance(20_000)
  leg.alive(channel)
  await clock.advance(20_000)
  expect(said).toEqual([])
  await clock.advance(25_000)
  expect(said).toEqual(['lost'])
})
