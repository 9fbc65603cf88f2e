import { describe, expect, test } from 'vitest'
import type { ParleyNotice, ParleySession } from '../gateway/protocol/realtime.ts'
import type { Turn } from '../gateway/protocol/turn.ts'
import type { Ending } from './retry.ts'
import {
  type Action,
  activityOf,
  type Boot,
  initial,
  isCutOff,
  isNeeded,
  reduce,
  type State,
  unanswered,
  waiting,
} from './state.ts'
import type { WireEvent } from './wire.ts'

const boot: Boot = {
  agent: { slug: 'shop', name: 'Shop Agent' },
  brand: { accent: '#123456', title: 'Shop' },
  texts: { greeting: 'Hello!', placeholder: '', consent: '', suggestions: [] },
  voice: true,
}

function turn(itemId: string, seq: number, more: Partial<Turn> = {}): Turn {
  return {
    id: `turn_${itemId}`,
    sessionId: 's',
    conversationId: 'c',
    channel: 'widget',
    role: 'agent',
    state: 'final',
    seq,
    text: `text of ${itemId}`,
    voice: false,
    itemId,
    createdAt: '',
    updatedAt: '',
    ...more,
  }
}

const wire = (event: WireEvent): Action => ({ is: 'wire', event })
const told = (...args: Parameters<typeof turn>): Action =>
  wire({ type: 'parley.turn', event_id: 'e', turn: turn(...args) })
const notice = (code: ParleyNotice['code'], text = ''): Action =>
  wire({ type: 'parley.notice', event_id: 'e', code, text })
const session = (history: readonly Turn[] = [], more: Partial<ParleySession> = {}): Action =>
  wire({
    type: 'parley.session',
    event_id: 'e',
    session_id: 's',
    epoch: 1,
    seq: 0,
    resume: { token: 't', window_ms: 45_000 },
    conversation_id: 'c',
    engine: { kind: 'demo', demo: true, hears: 'words' },
    heartbeat_ms: 5_000,
    history,
    ...more,
  })
const stored = (...itemIds: string[]): Action => wire({ type: 'parley.committed', event_id: 'e', item_ids: itemIds })
const beat: Action = wire({ type: 'parley.heartbeat', n: 1 })
const closed = (ending: Partial<Ending> = {}, nowMs = 0): Action => ({
  is: 'closed',
  nowMs,
  ending: { reason: 'lost', retry: 'never', ...ending },
})

const play = (...actions: readonly Action[]): State => actions.reduce(reduce, initial)
const booted: Action = { is: 'boot', boot }
const texts = (state: State) => state.lines.map(({ text }) => text)

/** A call that is on, answered by nobody yet. */
const calling: readonly Action[] = [
  booted,
  { is: 'call', at: 'starting', nowMs: 1_000 },
  { is: 'connecting' },
  session(),
  { is: 'call', at: 'on', nowMs: 2_000 },
]

describe('opening', () => {
  test('the greeting is there before anything was sent, once, also after a new token', () => {
    expect(texts(play(booted, booted))).toEqual(['Hello!'])
    expect(play(booted).phase).toBe('idle')
  })

  test('the greeting stands first, also before words that were quicker than the token', () => {
    expect(texts(play({ is: 'write', itemId: 'q', text: 'Early' }, booted))).toEqual(['Hello!', 'Early'])
  })

  test('history stands above the greeting, and what is said now below it', () => {
    const state = play(
      booted,
      { is: 'write', itemId: 'q', text: 'Now' },
      { is: 'connecting' },
      session([turn('a', 10, { sessionId: 's0' }), turn('b', 20, { sessionId: 's0', role: 'user' })]),
      told('q', 30, { role: 'user', text: 'Now' }),
    )
    expect(texts(state)).toEqual(['text of a', 'text of b', 'Hello!', 'Now'])
    expect(state.lines.map(({ past }) => past)).toEqual([true, true, false, false])
  })

  test('a second session repeats nothing of the first', () => {
    const first = [booted, { is: 'write', itemId: 'q', text: 'Q' }, { is: 'connecting' }, session()] as const
    const said = [turn('q', 10, { role: 'user', text: 'Q' }), turn('a', 20, { text: 'A' })]
    const state = play(
      ...first,
      told('q', 10, { role: 'user', text: 'Q' }),
      told('a', 20, { text: 'A' }),
      session(said),
    )
    expect(texts(state)).toEqual(['Hello!', 'Q', 'A'])
    expect(state.lines.some(({ past }) => past)).toBe(false)
  })

  test('a refusal ends the call that was about to start', () => {
    const ending: Ending = { reason: 'refused', retry: 'never' }
    expect(play({ is: 'call', at: 'starting', nowMs: 0 }, { is: 'refused', ending }).call).toBe('off')
  })

  test('a refused panel says why, and a later answer opens it after all', () => {
    const ending: Ending = { reason: 'refused', code: 'origin_refused', message: 'no', retry: 'never' }
    const refused = play({ is: 'refused', ending })
    expect(refused).toMatchObject({ phase: 'refused', ended: { ending } })
    expect(reduce(refused, booted)).toMatchObject({ phase: 'idle', ended: undefined })
  })
})

describe('writing', () => {
  test('a message that was given up can be sent again', () => {
    const given = play(booted, { is: 'write', itemId: 'q', text: 'Hi' }, closed())
    expect(given.lines.at(-1)?.state).toBe('unsent')
    expect(given.ended).toBeDefined()
    const again = reduce(given, { is: 'resend' })
    expect(waiting(again)).toHaveLength(1)
    expect(again.ended).toBeUndefined()
  })
})

describe('activity', () => {
  test('goes from thinking over speaking back to listening', () => {
    const steps: readonly [Action, string][] = [
      [wire({ type: 'speech', phase: 'start' }), 'listening'],
      [wire({ type: 'speech', phase: 'stop' }), 'thinking'],
      [wire({ type: 'response', phase: 'start' }), 'thinking'],
      [{ is: 'playing', on: true }, 'speaking'],
      [wire({ type: 'response', phase: 'stop' }), 'speaking'],
      [{ is: 'playing', on: false }, 'listening'],
    ]
    let state = play(...calling)
    for (const [action, expected] of steps) {
      state = reduce(state, action)
      expect(activityOf(state)).toBe(expected)
    }
  })

  test('a cough that no answer follows stops the thinking after three heartbeats', () => {
    const coughed = play(...calling, wire({ type: 'speech', phase: 'start' }), wire({ type: 'speech', phase: 'stop' }))
    expect(activityOf([beat, beat].reduce(reduce, coughed))).toBe('thinking')
    expect(activityOf([beat, beat, beat].reduce(reduce, coughed))).toBe('listening')
  })

  test('a tool at work is thinking until its answer begins', () => {
    const tool = (state: 'running' | 'ok') =>
      told('t', 5, { role: 'tool', tool: { name: 'search', callId: 'c', arguments: '{}', state } })
    const running = play(...calling, tool('running'), wire({ type: 'response', phase: 'stop' }))
    expect(activityOf(running)).toBe('thinking')
    const done = reduce(running, tool('ok'))
    expect(done.tools).toEqual([])
    expect(activityOf(done)).toBe('thinking')
    expect(done.lines.some(({ itemId }) => itemId === 't')).toBe(false)
  })
})

test('[S000-15] a call that waits for a person is told until it is decided, also to who comes back', () => {
  const tool = (state: 'waiting' | 'failed') =>
    told('t', 5, { role: 'tool', tool: { name: 'refund', callId: 'c', arguments: '{}', state } })
  const waiting = play(booted, session(), tool('waiting'))
  expect([waiting.waiting, activityOf(waiting)]).toEqual([['t'], 'listening'])
  expect(reduce(waiting, tool('failed')).waiting).toEqual([])
  const call = { name: 'refund', callId: 'c', arguments: '{}', state: 'waiting' } as const
  expect(play(booted, session([turn('t', 5, { role: 'tool', tool: call })])).waiting).toEqual(['t'])
})

describe('notices', () => {
  test('the demo engine is named once, however many sessions there are', () => {
    const state = play(booted, session(), notice('demo_engine', 'Demo.'), session(), notice('demo_engine', 'Demo.'))
    expect(texts(state).filter((text) => text === 'Demo.')).toHaveLength(1)
  })

  test('speech without words is noted each time, in its place', () => {
    const state = play(
      booted,
      session(),
      told('a', 10),
      notice('heard_speech', '2 s'),
      told('b', 20),
      notice('heard_speech', '3 s'),
    )
    expect(texts(state)).toEqual(['Hello!', 'text of a', '2 s', 'text of b', '3 s'])
  })

  test('what concerns the whole conversation is a banner, until the next session', () => {
    const state = play(booted, session(), notice('credit_low'))
    expect(state.banner).toBe('credit_low')
    expect(reduce(state, session([], { session_id: 's2' })).banner).toBeUndefined()
    expect(play(booted, session(), notice('tool_running', '')).lines).toHaveLength(1)
  })
})

describe('the end', () => {
  test('of a call shows how long it lasted and leaves nothing running', () => {
    const talking = play(...calling, { is: 'playing', on: true }, { is: 'mute', on: true })
    const state = reduce(talking, closed({ reason: 'client_ended' }, 65_400))
    expect(state).toMatchObject({ phase: 'idle', call: 'off', playing: false, muted: false, callSince: undefined })
    expect(state.ended).toMatchObject({ call: true, seconds: 63 })
  })

  test('of a call that never came about has no duration', () => {
    const state = play(booted, { is: 'call', at: 'starting', nowMs: 0 }, closed({ reason: 'refused', code: 'no_slot' }))
    expect(state.ended).toMatchObject({ call: true, seconds: undefined })
  })

  test('of a written conversation that went quiet is no event', () => {
    const quiet = closed({ reason: 'idle', code: 'timeout' })
    expect(play(booted, session(), quiet)).toMatchObject({ phase: 'idle', ended: undefined })
    expect(play(booted, session(), closed())).toMatchObject({ ended: undefined })
  })

  test('of a written conversation for a reason is told', () => {
    expect(play(booted, session(), closed({ reason: 'out_of_credit', code: 'out_of_credit' })).ended).toBeDefined()
  })

  test('still lets the last turns in', () => {
    const ended = play(...calling, told('a', 5, { state: 'partial' }), closed({ reason: 'client_ended' }))
    const state = reduce(ended, told('a', 5, { text: 'heard', unheard: 'rest', state: 'interrupted' }))
    expect(state.lines.at(-1)).toMatchObject({ text: 'heard', unheard: 'rest' })
    expect(state.ended).toBeDefined()
  })
})

describe('reconnecting', () => {
  const trouble: Ending = { reason: 'lost', retry: 'now' }
  const broken = play(
    ...calling,
    told('a', 5, { state: 'partial', voice: true }),
    { is: 'playing', on: true },
    { is: 'reconnecting', trouble, waits: false },
  )

  test('keeps the call and its clock, and stops what was being said', () => {
    expect(broken).toMatchObject({ phase: 'reconnecting', call: 'on', callSince: 2_000, playing: false })
    expect(broken.lines.at(-1)?.state).toBe('final')
    expect(activityOf(broken)).not.toBe('connecting')
    expect(activityOf(reduce(broken, { is: 'overdue' }))).toBe('connecting')
  })

  test('stays visible while a try is under way, and is over with the session', () => {
    expect(reduce(broken, { is: 'connecting' }).phase).toBe('reconnecting')
    const back = [{ is: 'connecting' } as const, session(), { is: 'call', at: 'on', nowMs: 9_000 } as const].reduce(
      reduce,
      broken,
    )
    expect(back).toMatchObject({ phase: 'live', trouble: undefined, callSince: 2_000 })
  })

  test('is needed for a call, an unanswered question and an unsent message, and for nothing else', () => {
    expect(isNeeded(broken)).toBe(true)
    expect(isNeeded(play(booted, { is: 'write', itemId: 'q', text: 'Q' }))).toBe(true)
    const answered = [
      told('q', 5, { role: 'user' }),
      stored('q'),
      wire({ type: 'response', phase: 'start' }),
      wire({ type: 'response', phase: 'stop' }),
    ]
    expect(isNeeded(play(booted, { is: 'write', itemId: 'q', text: 'Q' }, session(), ...answered))).toBe(false)
  })
})

describe('a session that waits', () => {
  const lost: Ending = { reason: 'lost', retry: 'now' }
  const away: Action = { is: 'reconnecting', trouble: lost, waits: true }
  const asking = play(booted, session(), { is: 'write', itemId: 'q', text: 'Q' })
  const answering = [told('q', 5, { role: 'user', text: 'Q' }), stored('q'), told('a', 6, { state: 'partial' })].reduce(
    reduce,
    asking,
  )

  test('is not spoken of for the first seconds, then it is, and a refusal at once', () => {
    const state = reduce(answering, away)
    expect(isCutOff(state)).toBe(false)
    expect(isCutOff(reduce(state, { is: 'overdue' }))).toBe(true)
    expect(
      isCutOff(reduce(answering, { ...away, trouble: { reason: 'refused', code: 'no_slot', retry: 'backoff' } })),
    ).toBe(true)
    expect(reduce(answering, { is: 'overdue' })).toBe(answering)
  })

  test('goes on where it was when nothing is missing: open lines stay open, history is not repeated', () => {
    const state = [away, session([turn('a', 6)], { resumed: { gap: false } })].reduce(reduce, answering)
    expect(state.phase).toBe('live')
    expect(state.lines.find((line) => line.itemId === 'a')?.state).toBe('partial')
  })

  test('with a gap: what never became part of the conversation goes, what it is now comes, what waits stays', () => {
    const before = [
      { is: 'write', itemId: 'w', text: 'on its way' } as const,
      wire({ type: 'text', itemId: 'ghost', role: 'agent', spoken: false, delta: 'never stored' }),
      away,
    ].reduce(reduce, answering)
    const truth = [turn('q', 5, { role: 'user', text: 'Q' }), turn('a', 6, { text: 'half', state: 'partial' })]
    const state = reduce(before, session(truth, { resumed: { gap: true }, epoch: 2 }))
    expect(texts(state)).toEqual(['Hello!', 'Q', 'text of a', 'on its way'])
    const more = reduce(
      state,
      wire({ type: 'text', itemId: 'a', role: 'agent', spoken: false, delta: ' and the other half' }),
    )
    expect(more.lines.find((line) => line.itemId === 'a')?.text).toBe('half and the other half')
  })

  test('of a page before this one is no earlier conversation', () => {
    const earlier = turn('old', 1, { sessionId: 's0' })
    const state = play(booted, session([earlier, turn('a', 6)], { resumed: { gap: true } }))
    expect(state.lines.map(({ itemId, past }) => [itemId, past])).toEqual([
      ['old', true],
      ['greeting', false],
      ['a', false],
    ])
  })

  test('that is lost leaves a note, and what the next session does not know of it goes', () => {
    const state = [
      away,
      { is: 'gone' } as const,
      session([turn('q', 5, { role: 'user', text: 'Q' })], { session_id: 's2' }),
    ].reduce(reduce, answering)
    expect(state.lines.map(({ itemId }) => itemId.split(':')[1] ?? itemId)).toEqual(['greeting', 'q', 'gone'])
    expect(play(booted, { is: 'gone' }).lines).toHaveLength(1)
  })

  test('of a call that the page before this one left can be taken up by a hand', () => {
    const paused = play(booted, { is: 'paused', on: true }, session([], { resumed: { gap: true } }))
    expect(paused).toMatchObject({ paused: true, call: 'off' })
    expect(reduce(paused, { is: 'call', at: 'starting', nowMs: 0 }).paused).toBe(false)
    expect(reduce(paused, closed()).paused).toBe(false)
  })
})

describe('a message', () => {
  const written = play(booted, session(), { is: 'write', itemId: 'q', text: 'Q' })

  test('is sent when it is stored, not when the gateway has heard of it', () => {
    const heard = reduce(written, told('q', 5, { role: 'user', text: 'Q' }))
    expect(waiting(heard)).toHaveLength(1)
    expect(waiting(reduce(heard, stored('x')))).toHaveLength(1)
    expect(waiting(reduce(heard, stored('q')))).toEqual([])
  })

  test('that was stored and never answered is the one to ask again', () => {
    const asked = [told('q', 5, { role: 'user', text: 'Q' }), stored('q')].reduce(reduce, written)
    expect(unanswered(asked)?.itemId).toBe('q')
    expect(unanswered(reduce(asked, told('a', 6)))).toBeUndefined()
    expect(unanswered(written)).toBeUndefined()
  })
})

test('trouble with the model is told until the agent goes on', () => {
  const troubled = play(booted, session(), notice('engine_trouble'))
  expect(troubled.banner).toBe('engine_trouble')
  const text = wire({ type: 'text', itemId: 'a', role: 'agent', spoken: false, delta: 'x' })
  expect(reduce(troubled, text).banner).toBeUndefined()
})

describe('a closed panel', () => {
  test('counts the agent’s new messages once each, and forgets them when it is opened', () => {
    const state = play(booted, session(), told('a', 5, { state: 'partial' }), told('a', 5), told('a', 5), told('b', 6))
    expect(state.unread).toBe(2)
    expect(reduce(state, { is: 'visible', on: true }).unread).toBe(0)
  })

  test('counts nothing while it is open', () => {
    expect(play(booted, { is: 'visible', on: true }, session(), told('a', 5)).unread).toBe(0)
  })

  test('does not count what the person wrote, nor history', () => {
    expect(play(booted, session([turn('a', 1)]), told('q', 5, { role: 'user' })).unread).toBe(0)
  })
})

test('a screen reader is told written answers when they are whole; spoken ones it can hear', () => {
  const partial = play(booted, session(), told('a', 5, { state: 'partial' }))
  expect(partial.announce).toBe('')
  expect(reduce(partial, told('a', 5)).announce).toBe('text of a')
  expect(play(booted, session(), told('v', 5, { voice: true })).announce).toBe('')
})

test('a new try to talk clears the microphone’s trouble and the mute of the last call', () => {
  const state = play(booted, { is: 'mic', problem: 'blocked' }, { is: 'call', at: 'starting', nowMs: 0 })
  expect(state).toMatchObject({ mic: undefined, muted: false, call: 'starting' })
})

test('an action that changes nothing gives the same state', () => {
  const state = play(booted, session())
  expect(reduce(state, wire({ type: 'audioDone', itemId: 'x' }))).toBe(state)
  expect(reduce(state, beat)).toBe(state)
  const unknown: unknown = { type: 'parley.new' }
  expect(reduce(state, wire(unknown as WireEvent))).toBe(state)
})
