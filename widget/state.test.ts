import { describe, expect, test } from 'vitest'
import type { ParleyNotice } from '../gateway/protocol/realtime.ts'
import type { Turn } from '../gateway/protocol/turn.ts'
import type { Ending } from './retry.ts'
import { type Action, activityOf, type Boot, initial, isNeeded, reduce, type State, waiting } from './state.ts'
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
const session = (history: readonly Turn[] = []): Action =>
  wire({
    type: 'parley.session',
    event_id: 'e',
    session_id: 's',
    conversation_id: 'c',
    engine: { kind: 'demo', demo: true, hears: 'words' },
    heartbeat_ms: 5_000,
    history,
  })
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
      session([turn('a', 10), turn('b', 20, { role: 'user' })]),
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
  test('a message waits until the gateway has it', () => {
    const state = play(booted, { is: 'write', itemId: 'q', text: 'Hi' })
    expect(waiting(state)).toHaveLength(1)
    expect(waiting(reduce(state, told('q', 5, { role: 'user', text: 'Hi' })))).toEqual([])
  })

  test('a message that the gateway has already, as history tells, is not sent again', () => {
    const state = play(booted, { is: 'write', itemId: 'q', text: 'Hi' }, session([turn('q', 5, { role: 'user' })]))
    expect(waiting(state)).toEqual([])
  })

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
    const state = play(booted, session(), notice('going_away'))
    expect(state.banner).toBe('going_away')
    expect(reduce(state, session()).banner).toBeUndefined()
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
    { is: 'reconnecting', trouble },
  )

  test('keeps the call and its clock, and stops what was being said', () => {
    expect(broken).toMatchObject({ phase: 'reconnecting', call: 'on', callSince: 2_000, playing: false })
    expect(broken.lines.at(-1)?.state).toBe('final')
    expect(activityOf(broken)).toBe('connecting')
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
      wire({ type: 'response', phase: 'start' }),
      wire({ type: 'response', phase: 'stop' }),
    ]
    expect(isNeeded(play(booted, { is: 'write', itemId: 'q', text: 'Q' }, session(), ...answered))).toBe(false)
  })
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
})
