import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Meters } from '../engines.ts'
import { anyEvent } from './events.ts'
import { responseUsage, transcriptionUsage, UsageMeters } from './meters.ts'
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
    responseUsage.parse({ input_tokens: 40, output_tokens: 0, input_token_details: partial }),
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

const count = fc.nat(20_000)
const kinds = { text_tokens: count, audio_tokens: count, image_tokens: count }
const some = (shape: Record<string, fc.Arbitrary<unknown>>) => fc.record(shape, { requiredKeys: [] })
/** Of every server there is: complete, with parts missing, with parts that contradict each other. */
const anyUsage = fc.record(
  {
    input_tokens: count,
    output_tokens: count,
    input_token_details: some({ ...kinds, cached_tokens: count, cached_tokens_details: some(kinds) }),
    output_token_details: some({ text_tokens: count, audio_tokens: count }),
  },
  { requiredKeys: ['input_tokens', 'output_tokens'] },
)
const reports = fc.array(fc.record({ id: fc.integer({ min: 1, max: 6 }).map((n) => `resp_${n}`), usage: anyUsage }), {
  maxLength: 15,
})

it('books on disjoint meters exactly what the provider counts, whatever of it is split, repeated or contradictory', () => {
  fc.assert(
    fc.property(reports, (all) => {
      const meters = new UsageMeters()
      const totals = new Map<string, number>()
      let booked: Readonly<Record<string, number>> = {}
      for (const { id, usage: given } of all) {
        const after = meters.response(id, responseUsage.parse(given))
        expect(after === undefined).toBe(totals.has(id))
        for (const [meter, amount] of Object.entries(booked))
          expect(after?.[meter as 'input.text.tokens'] ?? amount).toBeGreaterThanOrEqual(amount)
        booked = after ?? booked
        if (!totals.has(id)) totals.set(id, given.input_tokens + given.output_tokens)
      }
      const sum = Object.values(booked).reduce((a, b) => a + b, 0)
      expect(sum).toBe([...totals.values()].reduce((a, b) => a + b, 0))
    }),
    { numRuns: 500 },
  )
})

it('knows the parts of well-formed usage: cached and fresh tokens of a kind are the kind', () => {
  const split = fc.record({
    text: count,
    audio: count,
    image: count,
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  fc.assert(
    fc.property(split, count, count, ({ text, audio, image, share }, outText, outAudio) => {
      const part = (n: number) => Math.floor(n * share)
      const meters = new UsageMeters().response(
        'resp_1',
        responseUsage.parse({
          input_tokens: text + audio + image,
          output_tokens: outText + outAudio,
          input_token_details: {
            text_tokens: text,
            audio_tokens: audio,
            image_tokens: image,
            cached_tokens: part(text) + part(audio) + part(image),
            cached_tokens_details: { text_tokens: part(text), audio_tokens: part(audio), image_tokens: part(image) },
          },
          output_token_details: { text_tokens: outText, audio_tokens: outAudio },
        }),
      )
      for (const [kind, whole] of Object.entries({ text, audio, image })) {
        const of = (name: string) => (meters as Readonly<Record<string, number>>)[name] ?? 0
        expect(of(`input.cached.${kind}.tokens`)).toBe(part(whole))
        expect(of(`input.${kind}.tokens`)).toBe(whole - part(whole))
      }
      expect([meters?.['output.text.tokens'] ?? 0, meters?.['output.audio.tokens'] ?? 0]).toEqual([outText, outAudio])
    }),
  )
})

it('says that it does not know what the provider did not tell, once for each', () => {
  const meters = new UsageMeters()
  expect(responseUsage.safeParse({ input_tokens: 5 }).success).toBe(false)
  expect(responseUsage.safeParse({}).success).toBe(false)
  expect(transcriptionUsage.safeParse({ type: 'tokens', input_tokens: 5 }).success).toBe(false)
  expect(meters.untold('response', 'resp_1')).toEqual({ 'unknown.usages': 1 })
  expect(meters.untold('response', 'resp_1')).toBeUndefined()
  expect(meters.untold('transcription', 'item_1')).toEqual({ 'unknown.usages': 2 })
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
      const { 'unknown.usages': unreported = 0, 'transcription.seconds': seconds = 0, ...tokens } = last
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
