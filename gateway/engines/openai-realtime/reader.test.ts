import { expect, it } from 'vitest'
import type { EngineEvent } from '../engines.ts'
import { Beta } from './beta.ts'
import * as events from './events.ts'
import { scanAudioDelta } from './frame.ts'
import { Reader } from './reader.ts'

function feed(reader: Reader, event: Record<string, unknown>): readonly EngineEvent[] {
  const wire = Buffer.from(JSON.stringify(event))
  const delta = scanAudioDelta(wire)
  if (delta === undefined) return reader.read(events.anyEvent.parse(event), wire)
  const audio = reader.audio(delta, wire)
  return audio === undefined ? [] : [audio]
}

const call = { type: 'function_call', id: 'item_c', call_id: 'call_1', name: 'look_up', arguments: '{"a":1}' }
const created = { type: 'response.created', response: { id: 'resp_1', conversation_id: 'conv_1' } }
const argumentsDone = {
  type: 'response.function_call_arguments.done',
  response_id: 'resp_1',
  item_id: 'item_c',
  call_id: 'call_1',
  name: 'look_up',
  arguments: '{"a":1}',
}
const itemDone = (status?: string) => ({
  type: 'response.output_item.done',
  response_id: 'resp_1',
  item: { ...call, status },
})
const done = (status: string, output: unknown[] = []) => ({
  type: 'response.done',
  response: { id: 'resp_1', status, output },
})
const calls = (all: readonly EngineEvent[]) => all.filter((event) => event.type === 'toolCall')

it.each([
  ['arguments, item, response', [argumentsDone, itemDone('completed'), done('completed', [call])]],
  ['only the item', [itemDone('completed'), done('completed')]],
  ['only the arguments', [argumentsDone, done('completed')]],
  ['only the response', [done('completed', [call])]],
  ['an item without a status', [argumentsDone, itemDone(), done('completed', [call])]],
  ['the item twice', [itemDone('completed'), itemDone('completed'), done('completed')]],
])('calls a tool exactly once, announced by %s', (_, train) => {
  const reader = new Reader(true)
  const found = calls([created, ...train].flatMap((event) => feed(reader, event)))
  expect(found).toMatchObject([{ callId: 'call_1', name: 'look_up', arguments: '{"a":1}', responseId: 'resp_1' }])
})

it.each([
  ['interrupted', [argumentsDone, itemDone('incomplete'), done('cancelled', [{ ...call, status: 'incomplete' }])]],
  ['cancelled without a status', [argumentsDone, itemDone(), done('cancelled', [call])]],
])('does not call a tool whose call was %s', (_, train) => {
  const reader = new Reader(true)
  expect(calls([created, ...train].flatMap((event) => feed(reader, event)))).toEqual([])
})

it('puts every frame on exactly one event', () => {
  const reader = new Reader(true)
  for (const event of [created, argumentsDone, itemDone('completed'), done('completed', [call])]) {
    expect(feed(reader, event).filter((each) => each.wire !== undefined)).toHaveLength(1)
  }
})

it('says of which tool a frame speaks', () => {
  const reader = new Reader(true)
  const added = { type: 'response.output_item.added', response_id: 'resp_1', item: { ...call, status: 'in_progress' } }
  const delta = { type: 'response.function_call_arguments.delta', item_id: 'item_c', call_id: 'call_1', delta: '{' }
  const result = { type: 'function_call_output', id: 'item_o', call_id: 'call_1', output: '1' }
  const shown = { type: 'conversation.item.added', item: result }
  expect([added, delta, argumentsDone, shown].flatMap((event) => feed(reader, event))).toMatchObject(
    Array.from({ length: 4 }, () => ({ type: 'native', tool: 'look_up' })),
  )
})

it('shows neither the instructions nor items of the gateway to anybody', () => {
  const reader = new Reader(true)
  reader.own('item_note')
  const note = { id: 'item_note', type: 'message', role: 'system', content: [{ type: 'input_text', text: 'secret' }] }
  const all = [
    { type: 'session.created', session: { id: 's', instructions: 'secret' } },
    { type: 'session.updated', session: { id: 's', instructions: 'secret' } },
    { type: 'conversation.item.added', item: note },
    { type: 'conversation.item.done', item: note },
  ].flatMap((event) => feed(reader, event))
  expect(all.filter((event) => event.wire !== undefined)).toEqual([])
})

const ids = { response_id: 'resp_1', item_id: 'item_1', output_index: 0, content_index: 0 }

it.each([
  [
    { type: 'response.audio.delta', ...ids, delta: 'AAAA' },
    { type: 'audio', itemId: 'item_1' },
  ],
  [
    { delta: 'AAAA', ...ids, type: 'response.output_audio.delta' },
    { type: 'audio', itemId: 'item_1' },
  ],
  [{ type: 'response.audio.done', ...ids }, { type: 'audioDone' }],
  [
    { type: 'response.text.delta', ...ids, delta: 'hi' },
    { type: 'agentText', spoken: false, delta: 'hi' },
  ],
  [
    { type: 'response.text.done', ...ids, text: 'hi' },
    { type: 'agentText', spoken: false, final: 'hi' },
  ],
  [
    { type: 'response.audio_transcript.delta', ...ids, delta: 'hi' },
    { type: 'agentText', spoken: true, delta: 'hi' },
  ],
  [
    { type: 'response.audio_transcript.done', ...ids, transcript: 'hi' },
    { type: 'agentText', spoken: true, final: 'hi' },
  ],
  [
    { type: 'conversation.item.created', item: { id: 'item_2', type: 'message', role: 'user', content: [] } },
    { type: 'userItem', itemId: 'item_2' },
  ],
])('reads $type, as old servers send it', (event, expected) => {
  const [modern = Buffer.alloc(0)] = new Beta().frames(event) ?? [Buffer.from(JSON.stringify(event))]
  expect(feed(new Reader(true), JSON.parse(modern.toString()))).toMatchObject([expected])
})

it('forwards what it does not know, and what it knows in a shape it does not', () => {
  const reader = new Reader(true)
  const all = [{ type: 'response.mcp_call.in_progress' }, { type: 'response.done', response: 7 }].flatMap((event) =>
    feed(reader, event),
  )
  expect(all).toMatchObject([
    { type: 'native', name: 'response.mcp_call.in_progress' },
    { type: 'native', name: 'response.done' },
  ])
})

it('tells a spoken item from a written one, once each', () => {
  const reader = new Reader(true)
  const spoken = { id: 'item_s', type: 'message', role: 'user', content: [{ type: 'input_audio' }] }
  const all = [
    { type: 'input_audio_buffer.committed', item_id: 'item_s' },
    { type: 'conversation.item.added', item: spoken },
    { type: 'conversation.item.done', item: spoken },
    { type: 'conversation.item.added', item: { ...spoken, id: 'item_w', content: [{ type: 'input_text' }] } },
  ].flatMap((event) => feed(reader, event))
  expect(all.filter((event) => event.type === 'userItem')).toMatchObject([
    { itemId: 'item_s', spoken: true },
    { itemId: 'item_w', spoken: false },
  ])
})

it('says that speech interrupts only while an answer is under way', () => {
  const reader = new Reader(true)
  const speech = { type: 'input_audio_buffer.speech_started', item_id: 'item_s', audio_start_ms: 120 }
  expect(feed(reader, speech)).toMatchObject([{ interrupts: false, atMs: 120 }])
  feed(reader, created)
  expect(feed(reader, speech)).toMatchObject([{ interrupts: true }])
  reader.interrupts = false
  expect(feed(reader, speech)).toMatchObject([{ interrupts: false }])
  reader.interrupts = true
  feed(reader, done('cancelled'))
  expect(feed(reader, speech)).toMatchObject([{ interrupts: false }])
})

it('drops what is still in flight of an item that was cut off, and of no other', () => {
  const reader = new Reader(true)
  const audio = { type: 'response.output_audio.delta', event_id: 'e', ...ids, delta: 'A'.repeat(640) }
  const text = { type: 'response.output_audio_transcript.delta', ...ids, delta: ' word' }
  expect(feed(reader, audio)).toMatchObject([{ type: 'audio', ms: 10 }])
  expect(reader.producedMs('item_1')).toBe(10)
  reader.cutOff('item_1')
  expect([audio, text, { ...audio, event_id: 'late' }].flatMap((event) => feed(reader, event))).toEqual([])
  expect(feed(reader, { ...audio, item_id: 'item_2' })).toMatchObject([{ itemId: 'item_2' }])
})

it('leaves answers outside of the conversation to the client, but bills them', () => {
  const reader = new Reader(true)
  const train = [
    { type: 'response.created', response: { id: 'resp_x', conversation_id: null } },
    { type: 'response.output_audio.delta', event_id: 'e', ...ids, response_id: 'resp_x', delta: 'AAAA' },
    { type: 'response.output_text.delta', ...ids, response_id: 'resp_x', delta: 'x' },
    { type: 'response.done', response: { id: 'resp_x', status: 'completed', usage: { output_tokens: 3 } } },
  ]
  const types = train.flatMap((event) => feed(reader, event)).map((event) => event.type)
  expect(types).toEqual(['native', 'native', 'native', 'usage', 'native'])
  expect(reader.answering).toBe(false)
})

it('flags lost races as benign and nothing else', () => {
  const reader = new Reader(true)
  const error = (code: string) => ({ type: 'error', error: { type: 'invalid_request_error', code, message: 'm' } })
  const benign = [
    'response_cancel_not_active',
    'input_audio_buffer_commit_empty',
    'conversation_already_has_active_response',
  ]
  for (const code of benign) expect(feed(reader, error(code))).toMatchObject([{ type: 'error', code, benign: true }])
  expect(feed(reader, error('invalid_value'))).toMatchObject([{ benign: false }])
  expect(feed(reader, error('rate_limit_exceeded'))).toMatchObject([{ type: 'rateLimited' }, { benign: false }])
})

it('tells of spent rate limits, and when they come back', () => {
  const limits = (remaining: number) => ({
    type: 'rate_limits.updated',
    rate_limits: [{ name: 'tokens', limit: 9, remaining, reset_seconds: 2.5 }],
  })
  expect(feed(new Reader(true), limits(0))).toMatchObject([{ type: 'rateLimited', retryAfterMs: 2_500 }])
  expect(feed(new Reader(true), limits(1))).toMatchObject([{ type: 'native' }])
})
