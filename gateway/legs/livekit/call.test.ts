import { pino } from 'pino'
import { expect, test } from 'vitest'
import { ManualClock } from '../../../test/harness/clock.ts'
import type { EngineEvent } from '../../engines/engines.ts'
import type { LegPort, Opened } from '../../sessions/sessions.ts'
import { Call, joinWindowMs } from './call.ts'
import type { AgentState, LineEvents, RoomLine, Words } from './line.ts'
import { LiveKitLeg } from './livekit-leg.ts'

/** A room that takes everything at once. */
class FakeLine implements RoomLine {
  callerHere = false
  droppedMs = 0
  left = 0
  played = 0
  cleared = 0
  readonly states: AgentState[] = []
  readonly said: Words[] = []
  readonly events: Readonly<Record<string, unknown>>[] = []
  readonly sink = {
    delayMs: 60,
    continuous: false,
    play: () => void this.played++,
    clear: () => {
      this.cleared++
      return 0
    },
  }
  async words(words: Words): Promise<void> {
    this.said.push(words)
  }
  async tell(event: Readonly<Record<string, unknown>>): Promise<void> {
    this.events.push(event)
  }
  async state(state: AgentState): Promise<void> {
    this.states.push(state)
  }
  async leave(): Promise<void> {
    this.left++
  }
}

/** What the session hears, in order. */
class FakePort {
  readonly heard: string[] = []
  readonly playedAt: { itemId: string; ms: number; final: boolean }[] = []
  readonly end = Promise.withResolvers<void>()
  backlogBytes = 0
  audioBytes = 0
  readonly port: LegPort

  constructor() {
    const note = (what: string): void => void this.heard.push(what)
    const own = {
      audio: ({ pcm }: { pcm: Buffer }) => {
        this.audioBytes += pcm.length
      },
      say: (_id: string, text: string) => note(`say ${text}`),
      played: (itemId: string, ms: number, final: boolean) => void this.playedAt.push({ itemId, ms, final }),
      voice: (on: boolean) => note(`voice ${on}`),
      slow: (slow: boolean) => note(`slow ${slow}`),
      lost: (atMs: number) => note(`lost ${atMs}`),
      back: () => note('back'),
      bye: () => {
        note('bye')
        this.end.resolve()
      },
      ended: this.end.promise,
    }
    const backlog = (): number => this.backlogBytes
    this.port = Object.defineProperty(own, 'backlogBytes', { get: backlog }) as unknown as LegPort
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
}

function made(options: { readonly callerHere?: boolean; readonly refused?: () => boolean } = {}) {
  const clock = new ManualClock()
  const session = new FakePort()
  const lines: FakeLine[] = []
  const on: LineEvents[] = []
  const over: string[] = []
  let call: Call | undefined
  const leg = new LiveKitLeg(clock, () => void call?.leave())
  const opened = { port: session.port, start: () => session.heard.push('start') } as unknown as Opened
  call = new Call({
    clock,
    log: pino({ level: 'silent' }),
    leg,
    opened,
    join: async (events) => {
      if (options.refused?.() === true) throw new Error('no server')
      const line = new FakeLine()
      line.callerHere = options.callerHere ?? false
      lines.push(line)
      on.push(events)
      return line
    },
    onOver: async () => void over.push('over'),
  })
  const last = <T>(all: readonly T[]): T => {
    const value = all.at(-1)
    if (value === undefined) throw new Error('nothing joined')
    return value
  }
  return { clock, session, call, leg, over, lines, line: () => last(lines), events: () => last(on) }
}

const audio = (ms: number, itemId = 'item_1'): EngineEvent => ({
  type: 'audio',
  source: 'local',
  responseId: 'resp_1',
  itemId,
  pcm: Buffer.alloc(ms * 48, 1),
  ms,
})

test('nothing begins before the caller is there; nobody within 25 s is the end', async () => {
  const { clock, session, call, line, over } = made()
  await call.enter()
  await clock.advance(joinWindowMs - 1)
  expect(session.heard).toEqual([])
  await clock.advance(1)
  expect(session.heard).toEqual(['bye'])
  await call.leave()
  expect(line().left).toBe(1)
  expect(over).toEqual(['over'])
})

test('a caller who stands in the room already begins at once', async () => {
  const { call, session } = made({ callerHere: true })
  await call.enter()
  expect(session.heard).toEqual(['start', 'voice true'])
})

test('what a caller without a microphone writes tells that he is there', async () => {
  const { call, session, events } = made()
  await call.enter()
  events().text('Hello')
  events().callerJoined()
  expect(session.heard).toEqual(['start', 'voice true', 'say Hello'])
})

test('a lost caller is told of with the moment its network went silent, and taken back', async () => {
  const { clock, call, session, events, line } = made({ callerHere: true })
  await call.enter()
  await clock.advance(1_000)
  events().callerFaint(true)
  await clock.advance(4_000)
  events().callerFaint(true)
  events().callerGone('lost')
  expect(session.heard.at(-1)).toBe('lost 1000')
  events().audio(new Int16Array(480), 24_000)
  events().text('not heard')
  events().callerJoined()
  expect(session.heard.slice(-3)).toEqual(['lost 1000', 'back', 'voice true'])
  events().callerGone('lost')
  expect(session.heard.at(-1)).toBe('lost 5000')
  expect(line().left).toBe(0)
  expect(session.audioBytes).toBe(0)
})

test('a room that is lost is joined anew every 2 s, as long as the session waits', async () => {
  let refused = false
  const { clock, call, session, events, lines } = made({ callerHere: true, refused: () => refused })
  await call.enter()
  refused = true
  events().gone('lost')
  await clock.advance(5_000)
  expect(lines).toHaveLength(1)
  refused = false
  await clock.advance(2_000)
  expect(lines).toHaveLength(2)
  expect(lines[0]?.left).toBe(1)
  expect(session.heard).toEqual(['start', 'voice true', 'lost 0', 'back', 'voice true'])
  refused = true
  events().gone('lost')
  session.end.resolve()
  await settle()
  refused = false
  await clock.advance(10_000)
  expect(lines).toHaveLength(2)
})

test('a room that cannot be joined is a problem for who asked, and the session is over', async () => {
  const { call, session, over } = made({ refused: () => true })
  await expect(call.enter()).rejects.toMatchObject({ code: 'livekit_unavailable' })
  expect(session.heard).toEqual(['bye'])
  await call.over
  expect(over).toEqual(['over'])
})

test('a session that ended before its room was joined leaves the room again', async () => {
  const { call, session, line, over } = made({ callerHere: true })
  session.end.resolve()
  await settle()
  await expect(call.enter()).rejects.toMatchObject({ code: 'livekit_unavailable' })
  await call.over
  expect(line().left).toBe(1)
  expect(session.heard).toEqual([])
  expect(over).toEqual(['over'])
})

test('the end is told to the room before it is left, once', async () => {
  const { call, leg, line, over } = made({ callerHere: true })
  await call.enter()
  leg.notice('credit_low', 'soon')
  leg.end('out_of_credit')
  leg.end('idle')
  await call.over
  expect(line().events).toEqual([
    { type: 'parley.notice', code: 'credit_low', text: 'soon' },
    { type: 'parley.end', reason: 'out_of_credit' },
  ])
  expect(line().left).toBe(1)
  expect(over).toEqual(['over'])
})

test('the voice is played at its pace; cut short, the player is emptied and says how far it came', async () => {
  const { clock, call, leg, line, session } = made({ callerHere: true })
  await call.enter()
  leg.engineEvent({ type: 'responseStarted', source: 'local', responseId: 'resp_1' })
  leg.engineEvent(audio(2_000))
  await clock.advance(1_000)
  expect(line().played).toBeGreaterThan(90)
  expect(line().played).toBeLessThan(110)
  leg.flush('item_1')
  await settle()
  expect(line().cleared).toBe(1)
  const last = session.playedAt.at(-1)
  expect(last).toMatchObject({ itemId: 'item_1', final: true })
  expect(last?.ms).toBeGreaterThan(880)
  expect(last?.ms).toBeLessThan(1_000)
  const played = line().played
  await clock.advance(1_000)
  expect(line().played).toBe(played)
  expect(line().states).toEqual(['listening', 'thinking', 'speaking', 'thinking'])
  leg.engineEvent({ type: 'responseDone', source: 'local', responseId: 'resp_1', status: 'cancelled' })
  await settle()
  expect(line().states.at(-1)).toBe('listening')
})

test('noise that no answer follows is not thought about for ever', async () => {
  const { call, leg, line } = made({ callerHere: true })
  await call.enter()
  leg.engineEvent({ type: 'userSpeech', source: 'local', phase: 'stop', itemId: 'u', atMs: 0, interrupts: false })
  await settle()
  leg.engineEvent({ type: 'userText', source: 'local', itemId: 'u', final: '' })
  await settle()
  expect(line().states).toEqual(['listening', 'thinking', 'listening'])
})

test('while nobody is there the voice is not played, and how far it was heard is told before', async () => {
  const { clock, call, leg, line, session, events } = made({ callerHere: true })
  await call.enter()
  leg.engineEvent(audio(2_000))
  await clock.advance(500)
  events().callerGone('lost')
  expect(session.playedAt.at(-1)?.ms).toBeGreaterThan(380)
  const played = line().played
  leg.engineEvent(audio(500))
  await clock.advance(1_000)
  expect(line().played).toBe(played)
})

test('words of the caller and of the agent go to the room; what was typed stands there already', async () => {
  const { call, leg, line } = made({ callerHere: true })
  await call.enter()
  const turn = {
    id: 'turn_1',
    sessionId: 's',
    conversationId: 'c',
    channel: 'api',
    seq: 1,
    createdAt: '',
    updatedAt: '',
  } as const
  leg.turn({ ...turn, itemId: 'a', role: 'user', state: 'final', text: 'Spoken', voice: true })
  leg.turn({ ...turn, itemId: 'b', role: 'user', state: 'final', text: 'Typed', voice: false })
  leg.turn({ ...turn, itemId: 'c', role: 'tool', state: 'final', text: 'Looked up', voice: false })
  leg.turn({ ...turn, itemId: 'd', role: 'agent', state: 'interrupted', text: 'Heard', unheard: 'lost', voice: true })
  await settle()
  expect(line().said).toEqual([
    { segmentId: 'a', text: 'Spoken', final: true, by: 'caller' },
    { segmentId: 'd', text: 'Heard', final: true, by: 'agent' },
  ])
})

test('an engine that is behind is not buried in audio', async () => {
  const { call, session, events } = made({ callerHere: true })
  await call.enter()
  events().audio(new Int16Array(480), 24_000)
  expect(session.audioBytes).toBe(960)
  session.backlogBytes = 1_000_000
  for (let i = 0; i < 100; i++) events().audio(new Int16Array(480), 24_000)
  expect(session.audioBytes).toBe(960)
})
