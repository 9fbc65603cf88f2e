import { pino } from 'pino'
import { createGeminiLive } from '../../gateway/engines/gemini-live/gemini-live.ts'
import { startScriptedGemini } from '../harness/scripted-gemini.ts'
import { clock, engineFaults, speed } from './engine-faults.contract.ts'

engineFaults('gemini-live', {
  // Told 3 s ahead, in engine time.
  start: (maxDurationMs) =>
    startScriptedGemini({
      apiKey: 'key-test',
      pace: 60,
      ...(maxDurationMs === undefined
        ? {}
        : { cap: { goAwayMs: maxDurationMs / speed, timeLeft: '3s', cutMs: 3_000 / speed } }),
    }),
  factory: ({ baseUrl }) =>
    createGeminiLive({
      apiKey: 'key-test',
      baseUrl,
      defaultModel: 'gemini-3.8-live',
      log: pino({ level: 'silent' }),
      clock,
    }),
  handshake: 1,
  repeatsMs: 500,
})
