import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EngineEvent } from '../engines/engines.ts'
import { Latency } from './latency.ts'

const base = { source: 'provider', responseId: 'r', itemId: 'u' } as const
const stop = (silenceMs?: number): EngineEvent => ({
  ...base,
  type: 'userSpeech',
  phase: 'stop',
  atMs: 0,
  interrupts: false,
  silenceMs,
})
const words: EngineEvent = { ...base, type: 'userText', final: 'Hello?' }
const begins: EngineEvent = { ...base, type: 'responseStarted' }
const writes: EngineEvent = { ...base, type: 'firstToken' }
const calls: EngineEvent = { ...base, type: 'toolCall', callId: 'c', name: 'look', arguments: '{}' }

/** Events at their times; the answer sounds at the last one. */
function wait(events: readonly (readonly [atMs: number, event: EngineEvent])[], answeredAtMs: number) {
  const latency = new Latency()
  for (const [atMs, event] of events) latency.event(event, atMs)
  return { latency, measured: latency.answered('a', answeredAtMs) }
}

describe('latency of an answer', () => {
  it('is told apart where one model listens, another thinks and a third one speaks', () => {
    const events = [
      [1_000, stop(600)],
      [1_300, words],
      [1_310, begins],
      [1_700, writes],
    ] as const
    const { latency, measured } = wait(events, 2_000)
    expect(measured).toEqual({
      latencyMs: 1_600,
      latency: { endpointingMs: 600, sttMs: 300, modelMs: 400, ttsMs: 300 },
    })
    // The player says at 2,400 that it has played 250 ms: it began at 2,150.
    expect(latency.played('a', 250, 2_400)).toEqual({
      latencyMs: 1_750,
      latency: { endpointingMs: 600, sttMs: 300, modelMs: 400, ttsMs: 300, transportMs: 150 },
    })
    expect(latency.medianMs).toBe(1_750)
    expect(latency.played('a', 500, 2_650)).toBeUndefined()
  })

  it('does not blame recognition that the model did not wait for', () => {
    const events = [
      [1_000, stop()],
      [1_050, begins],
      [1_300, words],
    ] as const
    expect(wait(events, 1_500).measured).toEqual({ latencyMs: 500, latency: { modelMs: 500 } })
  })

  it('tells what tools took, and what the model took around them', () => {
    const events = [
      [0, stop(500)],
      [10, begins],
      [210, calls],
      [215, calls],
      [1_210, begins],
    ] as const
    expect(wait(events, 1_410).measured).toEqual({
      latencyMs: 1_910,
      latency: { endpointingMs: 500, modelMs: 410, toolsMs: 1_000 },
    })
  })

  it('has no figure for an answer nobody asked for, nor for one that the person spoke over', () => {
    const latency = new Latency()
    latency.event(begins, 0)
    expect(latency.answered('greeting', 100)).toBeUndefined()
    latency.event(stop(500), 1_000)
    latency.event({ ...base, type: 'userSpeech', phase: 'start', atMs: 0, interrupts: false }, 1_200)
    expect(latency.answered('a', 1_300)).toBeUndefined()
    expect(latency.medianMs).toBeNull()
  })

  it('has parts that sum to the whole, whatever comes in whatever order', () => {
    const event = fc.constantFrom(words, begins, writes, calls)
    const steps = fc.array(fc.tuple(fc.double({ min: 0, max: 500, noNaN: true }), event), { maxLength: 12 })
    fc.assert(
      fc.property(steps, fc.option(fc.nat(2_000), { nil: undefined }), (given, silenceMs) => {
        let atMs = 10
        const events = given.map(([ms, each]) => {
          atMs += ms
          return [atMs, each] as const
        })
        const { measured } = wait([[10, stop(silenceMs)], ...events], atMs + 7)
        const parts = Object.values(measured?.latency ?? {})
        expect(parts.reduce((sum, ms) => sum + ms, 0)).toBe(measured?.latencyMs)
        expect(Math.abs((measured?.latencyMs ?? 0) - (atMs - 10 + 7 + (silenceMs ?? 0)))).toBeLessThan(6)
      }),
    )
  })
})
