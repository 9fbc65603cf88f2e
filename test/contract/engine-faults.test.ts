import { pino } from 'pino'
import { createOpenAiRealtime } from '../../gateway/engines/openai-realtime/openai-realtime.ts'
import { startScriptedRealtime } from '../harness/scripted-realtime.ts'
import { clock, engineFaults } from './engine-faults.contract.ts'

engineFaults('openai-realtime', {
  start: () => startScriptedRealtime({ apiKey: 'sk-test', pace: 60 }),
  factory: ({ baseUrl }, maxDurationMs) =>
    createOpenAiRealtime({
      apiKey: 'sk-test',
      baseUrl,
      defaultModel: 'gpt-realtime-2.1',
      log: pino({ level: 'silent' }),
      clock,
      ...(maxDurationMs === undefined ? {} : { maxDurationMs }),
    }),
  handshake: 2,
  repeatsMs: 200,
})
