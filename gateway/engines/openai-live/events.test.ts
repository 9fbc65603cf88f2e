import fc from 'fast-check'
import type { ServerEvent } from 'openai/resources/live/live'
import { expect, it } from 'vitest'
import { readLiveEvent } from './events.ts'

const read = (event: object) => readLiveEvent(Buffer.from(JSON.stringify(event)))
const at = { event_id: 'event_1', start_ms: 1_200, end_ms: 1_440 }
const session = { id: 'live_1', model: 'gpt-live-1', expires_at: 1_800_000_000, status: 'active' } as const

/** In the provider's own types: what is read here cannot be named or shaped otherwise. */
const wire: readonly (readonly [ServerEvent, object])[] = [
  [
    { type: 'session.started', event_id: 'e', session },
    { is: 'started', id: 'live_1', model: 'gpt-live-1', expiresAtMs: 1_800_000_000_000 },
  ],
  [
    { type: 'session.output_audio.delta', delta: 'AQID' },
    { is: 'audio', pcm: Buffer.from([1, 2]) },
  ],
  [
    { type: 'session.input_transcript.delta', delta: ' hi', ...at },
    { is: 'heard', delta: ' hi', startMs: 1_200, endMs: 1_440 },
  ],
  [
    { type: 'session.output_transcript.delta', delta: 'so', ...at },
    { is: 'said', delta: 'so', startMs: 1_200, endMs: 1_440 },
  ],
  [
    { type: 'session.thinking.appended', client_event_id: 'mine', ...at },
    { is: 'appended', kind: 'thinking', eventId: 'mine' },
  ],
  [
    { type: 'session.commentary.appended', ...at },
    { is: 'appended', kind: 'commentary', eventId: undefined },
  ],
  [
    {
      type: 'session.delegation.created',
      event_id: 'e',
      offset_ms: 5,
      delegation: { id: 'dlg_1', type: 'delegation', target: 'client' },
    },
    { is: 'delegated', id: 'dlg_1', target: 'client' },
  ],
  [
    { type: 'response.event', event_id: 'e', event: { type: 'response.created' }, delegation_id: null },
    { is: 'nested', event: { type: 'response.created' } },
  ],
  [
    { type: 'session.usage.updated', event_id: 'e', usage: { seconds: 61.25 }, context_window: { usage_ratio: 0.2 } },
    { is: 'usage', seconds: 61.25 },
  ],
  [
    { type: 'session.closed', event_id: 'e', reason: 'expired', session, usage: { seconds: 90 } },
    { is: 'closed', reason: 'expired', seconds: 90 },
  ],
  [
    {
      type: 'error',
      event_id: 'e',
      error: { type: 'invalid_request_error', code: 'x', message: 'No.', client_event_id: 'mine' },
    },
    { is: 'error', code: 'x', message: 'No.', eventId: 'mine' },
  ],
  [
    { type: 'info', event_id: 'e', code: 'data_channel_permissions', message: '' },
    { is: 'other', name: 'info' },
  ],
]

it.each(wire)('reads %j', (event, expected) => {
  expect(read(event)).toEqual(expected)
})

it('takes the end for the end even where it does not say what it costs: that is unknown, not nothing', () => {
  const closed = { type: 'session.closed', reason: 'content' }
  for (const usage of [undefined, {}, { seconds: -1 }, { seconds: 'many' }, null]) {
    expect(read({ ...closed, usage })).toEqual({ is: 'closed', reason: 'content', seconds: undefined })
  }
})

it('names an event it cannot read, and never throws, whatever comes', () => {
  const names = wire.map(([{ type }]) => type)
  const fields = ['delta', 'start_ms', 'session', 'delegation', 'event', 'usage', 'reason', 'error', 'client_event_id']
  const broken = fc
    .record({ type: fc.constantFrom(...names) })
    .chain(({ type }) => fc.dictionary(fc.constantFrom(...fields), fc.jsonValue()).map((rest) => ({ ...rest, type })))
  const readable = ['started', 'audio', 'heard', 'said', 'appended', 'delegated', 'nested', 'usage', 'closed', 'error']
  let malformed = 0
  fc.assert(
    fc.property(broken, (event) => {
      const found = read(event)
      if (found.is === 'malformed') malformed++
      else expect([...readable, 'other']).toContain(found.is)
      if (found.is === 'audio') expect(found.pcm.length % 2).toBe(0)
      if (found.is === 'usage') expect(found.seconds).toBeGreaterThanOrEqual(0)
    }),
    { numRuns: 2_000 },
  )
  expect(malformed).toBeGreaterThan(100)
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => void readLiveEvent(Buffer.from(bytes))))
})
