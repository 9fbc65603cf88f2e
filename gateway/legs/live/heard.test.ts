import { expect, test } from 'vitest'
import type { EngineEvent } from '../../engines/engines.ts'
import { Heard } from './heard.ts'

function setup() {
  const told: unknown[] = []
  const state = { nowMs: 0 }
  const heard = new Heard({ nowMs: () => state.nowMs, tell: (event) => void told.push(event) })
  const event = (each: Record<string, unknown>): void => {
    const whole = { source: 'provider', itemId: 'a', interrupts: false, ...each } as EngineEvent
    if (whole.type === 'userSpeech') heard.speech(whole)
    else if (whole.type === 'userText') heard.text(whole)
  }
  return { heard, told, state, event }
}

test('words are told once, whether they come one by one, at the end, or both', () => {
  const { told, event, state } = setup()
  state.nowMs = 2_000
  event({ type: 'userSpeech', phase: 'start', atMs: 100 })
  state.nowMs = 3_500
  event({ type: 'userSpeech', phase: 'stop', atMs: 1_600 })
  event({ type: 'userText', delta: 'Hello' })
  event({ type: 'userText', final: 'Hello there.' })
  event({ type: 'userText', itemId: 'b', final: 'Again.', heardMs: 300 })
  expect(told).toEqual([
    { type: 'session.input_transcript.delta', delta: 'Hello', start_ms: 2_000, end_ms: 3_500 },
    { type: 'session.input_transcript.delta', delta: ' there.', start_ms: 2_000, end_ms: 3_500 },
    { type: 'session.input_transcript.delta', delta: 'Again.', start_ms: 3_200, end_ms: 3_500 },
  ])
})

test('speech without words is no transcript; one that could not be transcribed is told as that', () => {
  const { told, event } = setup()
  event({ type: 'userSpeech', phase: 'start', atMs: 0 })
  event({ type: 'userText', final: '' })
  event({ type: 'userText', itemId: 'b', failed: 'engine_lost' })
  expect(told).toEqual([{ type: 'info', code: 'input_not_transcribed', message: expect.any(String) }])
})

test('words are due for a second after speech has ended', () => {
  const { heard, event, state } = setup()
  event({ type: 'userSpeech', phase: 'start', atMs: 0 })
  expect(heard.isDue).toBe(false)
  event({ type: 'userSpeech', phase: 'stop', atMs: 900 })
  expect(heard.isDue).toBe(true)
  state.nowMs = 1_001
  expect(heard.isDue).toBe(false)
  event({ type: 'userSpeech', phase: 'stop', atMs: 900 })
  event({ type: 'userText', final: 'Yes.' })
  expect(heard.isDue).toBe(false)
})
