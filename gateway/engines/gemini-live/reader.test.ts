import fc from 'fast-check'
import { beforeEach, expect, it } from 'vitest'
import { ManualClock } from '../../../test/harness/clock.ts'
import type { EngineEvent } from '../engines.ts'
import { readMessage } from './events.ts'
import { Reader } from './reader.ts'

let clock: ManualClock
let events: EngineEvent[]
let told: string[]
let reader: Reader

beforeEach(() => {
  clock = new ManualClock()
  events = []
  told = []
  reader = new Reader({
    clock,
    emit: (event) => void events.push(event),
    begins: () => ({ isSpoken: true }),
    on: {
      called: ({ id, name }) => id ?? `own_${name}`,
      cancelled: (ids) => void told.push(`cancelled ${ids.join()}`),
      heard: ({ text }) => void told.push(`heard ${text}`),
      interrupted: () => void told.push('interrupted'),
      speechOver: () => {},
      turnOver: ({ answered, metered }) => void told.push(`over ${answered} ${metered}`),
      free: () => {},
    },
  })
})

function read(message: unknown): void {
  const parsed = readMessage(Buffer.from(JSON.stringify(message)))
  if (parsed !== undefined) reader.read(parsed)
}
const content = (serverContent: unknown) => read({ serverContent })
const part = (ms: number, mimeType = 'audio/pcm;rate=24000') => ({
  inlineData: { mimeType, data: Buffer.alloc(ms * 48, 1).toString('base64') },
})
const sound = (ms: number, more: object = {}) => content({ modelTurn: { role: 'model', parts: [part(ms)] }, ...more })
const words = (text: string) => content({ outputTranscription: { text } })
const call = (name: string, id?: string, args: unknown = { a: 1 }) =>
  read({ toolCall: { functionCalls: [{ ...(id === undefined ? {} : { id }), name, args }] } })
const types = () => events.map((event) => event.type)
const done = () =>
  events.flatMap((event) => (event.type === 'responseDone' ? [`${event.status} ${event.reason ?? ''}`] : []))
const said = () =>
  events.flatMap((event) => (event.type === 'agentText' && event.final !== undefined ? [event.final] : []))

it('makes one answer of sound and words, in whatever messages they come', async () => {
  sound(100, { outputTranscription: { text: ' We' } })
  content({ modelTurn: { parts: [part(40), { text: 'a thought', thought: true }, part(60)] } })
  words(' open')
  content({ generationComplete: true })
  words(' at nine.')
  content({ turnComplete: true })
  expect(types()).toEqual([
    ...['responseStarted', 'agentItem', 'agentText', 'audio', 'audio', 'audio', 'agentText', 'audioDone', 'agentText'],
    ...['agentText', 'responseDone'],
  ])
  expect(said()).toEqual(['We open at nine.'])
  expect(new Set(events.flatMap((event) => ('itemId' in event ? [event.itemId] : []))).size).toBe(1)
  expect([done(), told]).toEqual([['completed '], ['over true false']])
})

it('ends an answer when it is generated, not when it is taken as played', async () => {
  sound(100)
  content({ generationComplete: true })
  await clock.advance(250)
  expect([done(), reader.answering, reader.idle]).toEqual([['completed '], false, false])
  expect(reader.settlingMs).toBeGreaterThan(0)
  words('too late')
  content({ turnComplete: true })
  expect([reader.idle, reader.settlingMs, done().length]).toEqual([true, 0, 1])
})

it('takes words before any sound for the answer that begins, unless they come from the one before', async () => {
  words('We')
  sound(100, { outputTranscription: { text: ' open.' } })
  content({ generationComplete: true })
  content({ turnComplete: true })
  words(' Late.')
  await clock.advance(1_500)
  sound(100, { outputTranscription: { text: 'Next.' } })
  content({ turnComplete: true })
  expect(said()).toEqual(['We open.', 'Next.'])
})

it('ends an interrupted answer once, and hears what follows as the next', () => {
  sound(100)
  content({ interrupted: true })
  content({ turnComplete: true })
  sound(100)
  content({ generationComplete: true })
  content({ turnComplete: true })
  expect(done()).toEqual(['cancelled turn_detected', 'completed '])
  expect(told[0]).toBe('interrupted')
})

it('drops the rest of an answer that was cut here until the provider ends the turn, not the next answer', () => {
  sound(100)
  expect(reader.cut('client_cancelled')).toBe(true)
  sound(100)
  words('unheard')
  call('delete_all', 'c')
  content({ generationComplete: true })
  content({ turnComplete: true })
  sound(20)
  content({ turnComplete: true })
  expect(done()).toEqual(['cancelled client_cancelled', 'completed '])
  expect(events.flatMap((event) => (event.type === 'audio' ? [event.ms] : []))).toEqual([100, 20])
  expect(types()).not.toContain('toolCall')
})

it('cuts an answer that was not wanted before it began', () => {
  reader.expecting = true
  expect(reader.cut('client_cancelled')).toBe(true)
  sound(100)
  content({ turnComplete: true })
  expect(types()).toEqual(['responseStarted', 'responseDone'])
  expect(done()).toEqual(['cancelled client_cancelled'])
  sound(100)
  expect(types().at(-1)).toBe('audio')
})

it('ends an answer with its calls, though the provider leaves the turn open for the results', async () => {
  sound(100, { outputTranscription: { text: 'One moment.' } })
  call('find', 'c1')
  call('find', undefined, 'no object')
  await clock.advance(150)
  const calls = events.flatMap((event) => (event.type === 'toolCall' ? [[event.callId, event.arguments]] : []))
  expect(calls).toEqual([
    ['c1', '{"a":1}'],
    ['own_find', '{}'],
  ])
  expect(done()).toEqual(['completed '])
  reader.resumes()
  sound(100, { outputTranscription: { text: 'It is red.' } })
  content({ generationComplete: true })
  content({ turnComplete: true })
  expect([done(), said()]).toEqual([
    ['completed ', 'completed '],
    ['One moment.', 'It is red.'],
  ])
})

it('takes sound that trails a call for the same answer', async () => {
  sound(100)
  call('find', 'c1')
  await clock.advance(100)
  sound(20)
  await clock.advance(100)
  expect(done()).toEqual([])
  content({ generationComplete: true })
  content({ turnComplete: true })
  expect([done(), types().filter((type) => type === 'responseStarted')]).toEqual([['completed '], ['responseStarted']])
})

it('answers what was asked with nothing, when a turn has nothing in it', () => {
  content({ turnComplete: true })
  expect(types()).toEqual([])
  reader.expecting = true
  content({ turnComplete: true })
  content({ turnComplete: true })
  expect(types()).toEqual(['responseStarted', 'responseDone'])
})

it.each([
  ['MALFORMED_FUNCTION_CALL', 'failed malformed_function_call'],
  ['RESPONSE_REJECTED', 'incomplete response_rejected'],
  ['SOMETHING_NEW', 'incomplete something_new'],
  ['NEED_MORE_INPUT', 'completed '],
])('a turn that ends because of %s is %s', (turnCompleteReason, end) => {
  sound(100)
  content({ turnComplete: true, turnCompleteReason })
  expect(done()).toEqual([end])
})

it('counts what a turn costs once, whether it is told with its end, before, or again', () => {
  const usageMetadata = { promptTokenCount: 10, responseTokenCount: 5 }
  sound(100)
  read({ usageMetadata: { promptTokenCount: 10 } })
  read({ serverContent: { turnComplete: true }, usageMetadata })
  read({ usageMetadata })
  sound(100)
  read({ serverContent: { turnComplete: true }, usageMetadata })
  reader.expecting = true
  read({ serverContent: { turnComplete: true }, usageMetadata })
  const totals = events.flatMap((event) => (event.type === 'usage' ? [event.meters] : []))
  expect(totals.at(-1)).toEqual({ 'input.text.tokens': 30, 'output.audio.tokens': 15 })
  expect(told.filter((each) => each.startsWith('over'))).toEqual([
    'over true true',
    'over true true',
    'over false true',
  ])
})

it('says when a turn came without its cost', () => {
  sound(100)
  content({ turnComplete: true })
  expect(told).toEqual(['over true false'])
})

it('plays no sound of another rate or kind', () => {
  content({ modelTurn: { parts: [part(20, 'audio/pcm;rate=16000'), part(20, 'image/png')] } })
  expect(types()).toEqual([])
  content({ modelTurn: { parts: [part(20, 'audio/pcm')] } })
  expect(types()).toContain('audio')
})

const junk = fc.oneof(fc.anything(), fc.constantFrom(null, {}, [], '', -1, 1e300, { parts: [null, 3, {}] }))
const flag = fc.oneof(fc.boolean(), junk)
const transcript = fc.oneof(fc.record({ text: fc.oneof(fc.string(), junk), finished: flag }), junk)
const blob = fc.record({
  inlineData: fc.record({
    mimeType: fc.constantFrom('audio/pcm;rate=24000', 'audio/pcm;rate=8000', 'x'),
    data: fc.oneof(fc.base64String(), fc.string(), junk),
  }),
})
const message = fc.record(
  {
    serverContent: fc.oneof(
      fc.record(
        {
          modelTurn: fc.oneof(fc.record({ parts: fc.oneof(fc.array(fc.oneof(blob, junk)), junk) }), junk),
          generationComplete: flag,
          turnComplete: flag,
          turnCompleteReason: fc.oneof(fc.string(), junk),
          interrupted: flag,
          inputTranscription: transcript,
          outputTranscription: transcript,
        },
        { requiredKeys: [] },
      ),
      junk,
    ),
    toolCall: fc.oneof(
      fc.record({
        functionCalls: fc.array(fc.oneof(fc.record({ id: junk, name: fc.oneof(fc.string(), junk), args: junk }), junk)),
      }),
      junk,
    ),
    toolCallCancellation: junk,
    usageMetadata: fc.oneof(
      fc.record({ promptTokenCount: fc.oneof(fc.nat(), junk), responseTokensDetails: fc.oneof(fc.array(junk), junk) }),
      junk,
    ),
    goAway: junk,
    sessionResumptionUpdate: junk,
    voiceActivity: junk,
  },
  { requiredKeys: [] },
)

it('lets no message throw, begins and ends each answer once, and says nothing of it before or after', async () => {
  const steps = fc.array(fc.oneof(message, fc.constantFrom('wait', 'cut', 'ask', 'resume')), { maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      events.length = 0
      for (const step of all) {
        if (step === 'wait') await clock.advance(300)
        else if (step === 'cut') reader.cut('turn_detected')
        else if (step === 'ask') reader.expecting = true
        else if (step === 'resume') reader.resumes()
        else read(step)
      }
      content({ interrupted: true })
      await clock.advance(1_000)
      const open = new Set<string>()
      const over = new Set<string>()
      for (const event of events) {
        if (event.type === 'responseStarted') {
          expect([open.size, over.has(event.responseId)]).toEqual([0, false])
          open.add(event.responseId)
        } else if (event.type === 'responseDone') {
          expect(open.delete(event.responseId)).toBe(true)
          over.add(event.responseId)
        } else if ('responseId' in event) expect(open.has(event.responseId ?? '')).toBe(true)
      }
      expect(open.size).toBe(0)
    }),
  )
})

it('reads no message out of what is none', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), fc.uint8Array().map(String)), (text) => {
      const read = readMessage(Buffer.from(text))
      expect(read === undefined || typeof read === 'object').toBe(true)
    }),
  )
  for (const text of ['', '{', '3', 'null', '[]', '"x"']) expect(readMessage(Buffer.from(text))).toBeUndefined()
})
