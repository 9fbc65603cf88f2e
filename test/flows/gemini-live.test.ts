// A gateway with Gemini Live behind it, used by a client of the OpenAI protocol: one session with writing, a tool and speech.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { afterTheEnd } from '../clients/place.ts'
import { connect } from '../harness/client.ts'
import { type ScriptedGemini, startScriptedGemini } from '../harness/scripted-gemini.ts'
import { pieces, silencePcm, speechPcm } from '../harness/speech.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

let provider: ScriptedGemini
let gateway: TestGateway

beforeAll(async () => {
  provider = await startScriptedGemini({ apiKey: 'gemini-canary-key' })
  provider
    .on(/red sofa/, { call: { name: 'search_products', arguments: { query: 'red sofa', colour: 'red' } } })
    .on(/Oslo|items/, { say: 'The Oslo sofa comes in red.' })
    .on(/deliver/, { say: 'We deliver on weekdays.' })
    .hears('When do you deliver?')
  gateway = await startGateway({
    GEMINI_API_KEY: 'gemini-canary-key',
    GEMINI_BASE_URL: provider.baseUrl,
    PARLEY_ENGINE: 'gemini-live',
  })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider.stop()
})

const receiptBody = z.object({ lines: z.array(z.object({ meter: z.string(), quantity: z.number() })) })

test('answers writing with a tool, answers speech, and is billed for what the provider counted', async () => {
  const client = await connect(gateway.wsUrl, {
    headers: { authorization: `Bearer ${gateway.apiKey}` },
    query: '?agent=productco',
  })
  const { id } = z.object({ id: z.string() }).parse((await client.event('session.created')).session)
  client.ask('Do you have a red sofa?')
  const said = await client.event('response.output_audio_transcript.done')
  expect(said.transcript).toBe('The Oslo sofa comes in red.')
  for (const piece of [...pieces(await speechPcm('When do you deliver?')), ...pieces(silencePcm(900))]) {
    client.send({ type: 'input_audio_buffer.append', audio: piece.toString('base64') })
  }
  const heard = await client.event('conversation.item.input_audio_transcription.completed')
  expect(heard.transcript).toBe('When do you deliver?')
  const answer = await client.event('response.output_audio_transcript.done', 2)
  expect(answer.transcript).toBe('We deliver on weekdays.')
  expect(client.audioBytes.get(String(answer.item_id))).toBe('We deliver on weekdays.'.length * 60 * 48)
  await client.event('response.done', 3)
  client.socket.close()

  const turns = await afterTheEnd(gateway, id)
  // The client has no player: what real time had not played when it went on counts as unheard.
  const whole = ({ text, unheard = '' }: { text: string; unheard?: string | undefined }) => `${text} ${unheard}`.trim()
  expect(turns.map((turn) => [turn.role, turn.tool?.name ?? whole(turn), turn.voice])).toEqual([
    ['user', 'Do you have a red sofa?', false],
    ['tool', 'search_products', false],
    ['agent', 'The Oslo sofa comes in red.', true],
    ['user', 'When do you deliver?', true],
    ['agent', 'We deliver on weekdays.', true],
  ])
  const { lines } = receiptBody.parse((await gateway.get(`/v1/sessions/${id}/receipt`)).body)
  const billed = (meter: string) => lines.find((line) => line.meter === meter)?.quantity ?? 0
  expect(billed('output.audio.tokens')).toBeGreaterThan(0)
  expect(billed('input.text.tokens')).toBeGreaterThan(0)
  expect(provider.connections.flatMap(({ faults }) => faults)).toEqual([])
  expect(gateway.log.join('')).not.toContain('gemini-canary-key')
})
