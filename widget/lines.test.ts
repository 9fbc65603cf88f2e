import { describe, expect, test } from 'vitest'
import type { Turn } from '../gateway/protocol/turn.ts'
import { add, type Line, settled, withText, withTurn } from './lines.ts'

const turn = (itemId: string, seq: number, more: Partial<Turn> = {}): Turn => ({
  id: `turn_${itemId}`,
  sessionId: 's',
  conversationId: 'c',
  channel: 'widget',
  role: 'agent',
  state: 'final',
  seq,
  text: itemId,
  voice: false,
  itemId,
  createdAt: '',
  updatedAt: '',
  ...more,
})

const texts = (lines: readonly Line[]) => lines.map(({ text }) => text)

describe('order', () => {
  test('is the gateway’s, whatever arrives first: words spoken before an answer stand before it', () => {
    let lines = withTurn([], turn('answer', 20))
    lines = withTurn(lines, turn('question', 10, { role: 'user' }))
    expect(texts(lines)).toEqual(['question', 'answer'])
  })

  test('lines without a place yet come last, in the order in which they were written', () => {
    let lines = add([], { itemId: 'x', role: 'user', state: 'waiting', text: 'x' })
    lines = add(lines, { itemId: 'y', role: 'user', state: 'waiting', text: 'y' })
    lines = withTurn(lines, turn('old', 5))
    expect(texts(lines)).toEqual(['old', 'x', 'y'])
    lines = withTurn(lines, turn('y', 7, { role: 'user' }))
    expect(texts(lines)).toEqual(['old', 'y', 'x'])
  })
})

describe('a turn', () => {
  test('replaces live text once it is final', () => {
    const live = withText([], {}, { itemId: 'a', role: 'agent', spoken: true, delta: 'one two three' })
    const lines = withTurn(live.lines, turn('a', 1, { text: 'One, two.', state: 'final' }))
    expect(texts(lines)).toEqual(['One, two.'])
  })

  test('that is still being written does not take back live text that runs ahead', () => {
    const live = withText([], {}, { itemId: 'a', role: 'agent', spoken: true, delta: 'one two three' })
    const lines = withTurn(live.lines, turn('a', 1, { text: 'one', state: 'partial' }))
    expect(texts(lines)).toEqual(['one two three'])
  })

  test('that was interrupted keeps what was heard and what was not', () => {
    let lines = withTurn([], turn('a', 1, { text: 'heard and not', state: 'partial' }))
    lines = withTurn(lines, turn('a', 1, { text: 'heard', unheard: 'and not', state: 'interrupted' }))
    expect(lines[0]).toMatchObject({ text: 'heard', unheard: 'and not', state: 'interrupted' })
  })

  test('of a tool or of the system is not for the visitor', () => {
    expect(withTurn([], turn('t', 1, { role: 'tool' }))).toEqual([])
    expect(withTurn([], turn('t', 1, { role: 'system' }))).toEqual([])
  })
})

describe('live text', () => {
  test('is not doubled when the turn carries the same words as the delta after it', () => {
    let lines: readonly Line[] = []
    let live: Readonly<Record<string, string>> = {}
    for (const [soFar, delta] of [
      ['Good ', 'Good '],
      ['Good morning', 'morning'],
    ] as const) {
      lines = withTurn(lines, turn('a', 1, { text: soFar, state: 'partial' }))
      ;({ lines, live } = withText(lines, live, { itemId: 'a', role: 'agent', spoken: true, delta }))
    }
    expect(texts(lines)).toEqual(['Good morning'])
  })

  test('that comes late changes nothing about a finished turn', () => {
    const lines = withTurn([], turn('a', 1, { text: 'heard', unheard: 'rest', state: 'interrupted' }))
    const after = withText(lines, { a: 'heard' }, { itemId: 'a', role: 'agent', spoken: true, delta: ' rest' })
    expect(after.lines).toEqual(lines)
  })

  test('alone makes a line, for gateways and engines that tell nothing else', () => {
    let { lines, live } = withText([], {}, { itemId: 'a', role: 'agent', spoken: false, delta: 'Hel' })
    ;({ lines, live } = withText(lines, live, { itemId: 'a', role: 'agent', spoken: false, delta: 'lo' }))
    ;({ lines } = withText(lines, live, { itemId: 'a', role: 'agent', spoken: false, final: 'Hello!' }))
    expect(lines).toMatchObject([{ text: 'Hello!', role: 'agent', voice: false, state: 'partial' }])
  })
})

test('when the connection breaks, half a line is all there will be', () => {
  const { lines } = withText([], {}, { itemId: 'a', role: 'agent', spoken: true, delta: 'Half' })
  expect(settled(lines)[0]?.state).toBe('final')
})
