// The double is tested too: the stock client takes what it says, and it refuses what the provider refuses.

import OpenAI from 'openai'
import { LiveWS } from 'openai/resources/live/ws'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { type ScriptedLive, startScriptedLive } from '../harness/scripted-live.ts'

let provider: ScriptedLive
beforeEach(async () => {
  provider = await startScriptedLive({ apiKey: 'sk-test', models: ['gpt-live-1'] })
})
afterEach(() => provider.stop())

const started = { type: 'session.start', session: { model: 'gpt-live-1' } }

it('holds a conversation with the stock client', async () => {
  const client = new LiveWS(new OpenAI({ apiKey: 'sk-test', baseURL: provider.baseUrl }))
  const events: { readonly type: string }[] = []
  const errors: unknown[] = []
  client.on('event', (event) => events.push(event))
  client.on('error', (error) => errors.push(error))
  const until = (type: string) =>
    expect.poll(() => events.map((event) => event.type), { timeout: 10_000 }).toContain(type)
  client.send({ type: 'session.start', session: { model: 'gpt-live-1', delegation: { type: 'client' } } })
  await until('session.started')
  client.send({ type: 'session.commentary.append', content: 'Hello there.', delegation_id: null, event_id: 'mine' })
  client.send({ type: 'session.input_audio.append', audio: Buffer.alloc(4_800).toString('base64') })
  await until('session.commentary.appended')
  await until('session.output_audio.delta')
  provider.last.delegate()
  provider.last.usage(1.5)
  await until('session.usage.updated')
  client.send({ type: 'session.close' })
  await until('session.closed')
  expect(events.find(({ type }) => type === 'session.commentary.appended')).toMatchObject({ client_event_id: 'mine' })
  expect([errors, provider.last.errors]).toEqual([[], []])
})

async function answers(...frames: readonly object[]): Promise<readonly { type: string; code?: string }[]> {
  const socket = new WebSocket(`${provider.baseUrl.replace('http', 'ws')}/live/sessions`, {
    headers: { authorization: 'Bearer sk-test' },
  })
  const heard: { type: string; code?: string }[] = []
  socket.on('message', (data) => {
    const { type, error } = JSON.parse(String(data))
    heard.push({ type, ...(error === undefined ? {} : { code: error.code }) })
  })
  await new Promise((resolve) => socket.on('open', resolve))
  for (const frame of frames) socket.send(JSON.stringify(frame))
  await expect.poll(() => heard.length).toBeGreaterThanOrEqual(1)
  await new Promise((resolve) => setTimeout(resolve, 50))
  socket.terminate()
  return heard
}

const silence = { type: 'session.input_audio.append', audio: Buffer.alloc(4_800).toString('base64') }

it.each([
  ['anything before the start', [silence], 'session_not_started'],
  [
    'a field of another protocol',
    [{ ...started, session: { model: 'gpt-live-1', turn_detection: null } }],
    'unknown_parameter',
  ],
  ['a model it does not have', [{ ...started, session: { model: 'gpt-realtime' } }], 'model_not_found'],
  ['a second start', [started, started], 'session_already_started'],
  ['half a sample', [started, { ...silence, audio: 'AQID' }], 'invalid_audio'],
  [
    'a text that is too long',
    [started, { type: 'session.thinking.append', content: 'x'.repeat(2_001), delegation_id: null }],
    'invalid_value',
  ],
  ['a text without a delegation', [started, { type: 'session.thinking.append', content: 'x' }], 'invalid_value'],
  [
    'work nobody delegated',
    [started, { type: 'session.commentary.append', content: 'x', delegation_id: 'dlg_x' }],
    'invalid_value',
  ],
  ['a response without a backend', [started, { type: 'response.create' }], 'invalid_request'],
  [
    'another kind of delegation',
    [started, { type: 'session.update', session: { delegation: null } }],
    'immutable_field_update',
  ],
] as const)('refuses %s', async (_, frames, code) => {
  expect((await answers(...frames)).at(-1)).toEqual({ type: 'error', code })
})

it('acknowledges nothing while no input flows', async () => {
  const append = { type: 'session.thinking.append', content: 'x', delegation_id: null }
  const heard = await answers(started, append, { type: 'session.input_audio.mute' })
  expect(heard.map(({ type }) => type)).toEqual(['session.started', 'session.input_audio.muted'])
})
