import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Meters } from '../engines.ts'
import { anyEvent } from './events.ts'
import { responseUsage, UsageMeters } from './meters.ts'
import { Reader } from './reader.ts'

const usage = responseUsage.parse({
  input_tokens: 300,
  output_tokens: 90,
  input_token_details: {
    text_tokens: 200,
    audio_tokens: 100,
    image_tokens: 0,
    cached_tokens: 192,
    cached_tokens_details: { text_tokens: 128, audio_tokens: 64, image_tokens: 0 },
  },
  output_token_details: { text_tokens: 20, audio_tokens: 70 },
})

it('takes cached tokens out of the input: no token is on two meters', () => {
  const meters = new UsageMeters().response('resp_1', usage)
  expect(meters).toEqual({
    'input.text.tokens': 72,
    'input.audio.tokens': 36,
    'input.cached.text.tokens': 128,
    'input.cached.audio.tokens': 64,
    'output.text.tokens': 20,
    'output.audio.tokens': 70,
  })
  expect(Object.values(meters ?? {}).reduce((a, b) => a + b, 0)).toBe(390)
})

it('counts a response once, however often it is reported', () => {
  const meters = new UsageMeters()
  meters.response('resp_1', usage)
  expect(meters.response('resp_1', usage)).toBeUndefined()
  expect(meters.response('resp_2', usage)).toMatchObject({ 'output.audio.tokens': 140 })
})

it('splits a cached total that comes without its parts, never below zero', () => {
  const partial = { text_tokens: 10, audio_tokens: 30, image_tokens: 0, cached_tokens: 25 }
  const meters = new UsageMeters().response(
    'resp_1',
    responseUsage.parse({ input_tokens: 40, input_token_details: partial }),
  )
  expect(meters).toEqual({
    'input.audio.tokens': 15,
    'input.cached.text.tokens': 10,
    'input.cached.audio.tokens': 15,
  })
})

it('counts a total without details as text', () => {
  const meters = new UsageMeters().response('resp_1', responseUsage.parse({ input_tokens: 5, output_tokens: 6 }))
  expect(meters).toEqual({ 'input.text.tokens': 5, 'output.text.tokens': 6 })
})

it('meters transcription by duration or by tokens, once per item', () => {
  const meters = new UsageMeters()
  meters.transcription('item_1', { type: 'duration', seconds: 1.5 })
  meters.transcription('item_1', { type: 'duration', seconds: 1.5 })
  expect(meters.transcription('item_2', { type: 'tokens', input_tokens: 14, output_tokens: 3 })).toEqual({
    'transcription.seconds': 1.5,
    'transcription.input.tokens': 14,
    'transcription.output.tokens': 3,
  })
})

it('keeps a response and an item of the same id apart', () => {
  const meters = new UsageMeters()
  meters.response('x', usage)
  expect(meters.transcription('x', { type: 'duration', seconds: 1 })).toBeDefined()
})

const amount = fc.nat({ max: 100_000 })
const share = fc.double({ min: 0, max: 1, noNaN: true })
/** One answer as the provider bills it, and how it tells so. */
const answer = fc.record({
  text: amount,
  audio: amount,
  image: amount,
  cachedText: share,
  cachedAudio: share,
  cachedImage: share,
  outText: amount,
  outAudio: amount,
  details: fc.constantFrom('all', 'no cached split', 'none'),
  end: fc.constantFrom('told', 'told twice', 'untold', 'missing', 'refused'),
  aside: fc.boolean(),
})
const heard = fc.record({
  seconds: fc.nat({ max: 600 }),
  end: fc.constantFrom('told', 'told twice', 'untold', 'failed', 'missing'),
})

type Of<A> = A extends fc.Arbitrary<infer T> ? T : never
type Answer = Of<typeof answer>

function usageOf(each: Answer): object {
  const cached = {
    text_tokens: Math.floor(each.text * each.cachedText),
    audio_tokens: Math.floor(each.audio * each.cachedAudio),
    image_tokens: Math.floor(each.image * each.cachedImage),
  }
  const total = cached.text_tokens + cached.audio_tokens + cached.image_tokens
  const input = each.text + each.audio + each.image
  const output = each.outText + each.outAudio
  const sums = { total_tokens: input + output, input_tokens: input, output_tokens: output }
  if (each.details === 'none') return sums
  const kinds = { text_tokens: each.text, audio_tokens: each.audio, image_tokens: each.image, cached_tokens: total }
  return {
    ...sums,
    input_token_details: { ...kinds, ...(each.details === 'all' ? { cached_tokens_details: cached } : {}) },
    output_token_details: { text_tokens: each.outText, audio_tokens: each.outAudio },
  }
}

/** What the provider sends about one answer, in order. */
function answerEvents(each: Answer, id: string): object[] {
  const created = { type: 'response.created', response: { id, conversation_id: each.aside ? null : 'conv_1' } }
  const output = each.end === 'refused' ? [] : [{ id: `item_${id}`, type: 'message' }]
  const status = each.end === 'refused' ? 'failed' : 'completed'
  const done = (usage: object | null) => ({ type: 'response.done', response: { id, status, output, usage } })
  if (each.end === 'missing') return [created]
  if (each.end === 'untold' || each.end === 'refused') return [created, done(null)]
  return [created, done(usageOf(each)), ...(each.end === 'told twice' ? [done(usageOf(each))] : [])]
}

function heardEvents({ seconds, end }: Of<typeof heard>, id: string): object[] {
  const type = 'conversation.item.input_audio_transcription'
  const committed = { type: 'input_audio_buffer.committed', item_id: id }
  const completed = (usage: object) => ({ type: `${type}.completed`, item_id: id, transcript: 'a', ...usage })
  const told = completed({ usage: { type: 'duration', seconds } })
  if (end === 'missing') return [committed]
  if (end === 'failed') return [committed, { type: `${type}.failed`, item_id: id, error: {} }]
  if (end === 'untold') return [committed, completed({})]
  return [committed, told, ...(end === 'told twice' ? [told] : [])]
}

/** Answers and transcriptions run into each other; within each the order is kept. */
function interleaved(streams: readonly object[][], chance: () => number): object[] {
  const left = streams.map((stream) => [...stream])
  const all: object[] = []
  for (let open = left; open.length > 0; open = open.filter((stream) => stream.length > 0)) {
    const next = open[chance() % open.length]?.shift()
    if (next !== undefined) all.push(next)
  }
  return all
}

it('books what the provider bills, whatever comes twice or mixed up, and flags what it never told', () => {
  const streams = fc.record({ answers: fc.array(answer, { maxLength: 8 }), words: fc.array(heard, { maxLength: 5 }) })
  fc.assert(
    fc.property(streams, fc.infiniteStream(fc.nat()), ({ answers, words }, chance) => {
      const reader = new Reader(true)
      const events = interleaved(
        [
          ...answers.map((each, i) => answerEvents(each, `resp_${i}`)),
          ...words.map((each, i) => heardEvents(each, `item_${i}`)),
        ],
        () => chance.next().value ?? 0,
      )
      let last: Meters = {}
      const read = [
        ...events.flatMap((event) => [...reader.read(anyEvent.parse(event), Buffer.from(JSON.stringify(event)))]),
        ...reader.close(),
        ...reader.close(),
      ]
      for (const event of read) {
        if (event.type !== 'usage') continue
        expect(Object.keys(event.meters)).toEqual(expect.arrayContaining(Object.keys(last)))
        for (const [key, value] of Object.entries(event.meters))
          expect(value).toBeGreaterThanOrEqual(last[key as keyof Meters] ?? 0)
        last = event.meters
      }
      const { 'unreported.calls': unreported = 0, 'transcription.seconds': seconds = 0, ...tokens } = last
      const told = answers.filter(({ end }) => end.startsWith('told'))
      const total = told.reduce(
        (sum, { text, audio, image, outText, outAudio }) => sum + text + audio + image + outText + outAudio,
        0,
      )
      expect(Object.values(tokens).reduce((sum, each) => sum + each, 0)).toBe(total)
      expect(seconds).toBe(
        words.filter(({ end }) => end.startsWith('told')).reduce((sum, each) => sum + each.seconds, 0),
      )
      const unknown = [...answers, ...words].filter(({ end }) => end === 'untold' || end === 'missing')
      expect(unreported).toBe(unknown.length)
    }),
  )
})
