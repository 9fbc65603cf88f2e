import { expect, it } from 'vitest'
import { ManualClock } from '../../../test/harness/clock.ts'
import type { EngineEvent } from '../engines.ts'
import { Mouth } from './mouth.ts'

const loud = (ms: number) => {
  const pcm = Buffer.alloc(ms * 48)
  for (let at = 0; at < pcm.length; at += 2) pcm.writeInt16LE(at % 8 < 4 ? 4_000 : -4_000, at)
  return pcm
}
const quiet = (ms: number) => Buffer.alloc(ms * 48)

function setup() {
  const clock = new ManualClock()
  const events: EngineEvent[] = []
  const said: string[] = []
  const state = { working: false, free: 0 }
  const mouth = new Mouth({
    clock,
    emit: (event) => events.push(event),
    working: () => state.working,
    said: (_, text) => said.push(text),
    free: () => state.free++,
  })
  const words = (delta: string, startMs = 0, endMs = startMs + 300) => mouth.words({ delta, startMs, endMs })
  const types = () => events.map(({ type }) => type)
  const statuses = () =>
    events.flatMap((e) => (e.type === 'responseDone' ? [`${e.status} ${e.reason ?? ''}`.trim()] : []))
  const audioMs = () => events.reduce((sum, e) => sum + (e.type === 'audio' ? e.ms : 0), 0)
  return { clock, events, said, state, mouth, words, types, statuses, audioMs }
}

it('makes an answer of what is heard between two silences, and says that it concluded so', async () => {
  const { clock, events, said, mouth, words, types, audioMs } = setup()
  mouth.audio(quiet(100))
  words('Good')
  mouth.audio(loud(100))
  words(' day.')
  await clock.advance(400)
  mouth.audio(loud(100))
  await clock.advance(999)
  expect(types()).not.toContain('responseDone')
  await clock.advance(1)
  expect(types()).toEqual([
    ...['responseStarted', 'agentItem', 'agentText', 'audio', 'agentText', 'audio'],
    ...['audioDone', 'agentText', 'responseDone'],
  ])
  expect([said, audioMs()]).toEqual([['Good day.'], 200])
  const sources = events.map(({ type, source, ...rest }) =>
    `${type} ${source} ${'delta' in rest ? 'delta' : ''}`.trim(),
  )
  expect(sources.filter((each) => each.includes('provider')).map((each) => each.split(' ')[0])).toEqual([
    ...['agentText', 'audio', 'agentText', 'audio'],
  ])
})

it('ends an answer in a stream of silence by the length of it, and passes no silence between answers', async () => {
  const { mouth, statuses, audioMs } = setup()
  mouth.audio(loud(100))
  for (let i = 0; i < 30; i++) mouth.audio(quiet(100))
  expect(statuses()).toEqual(['completed'])
  expect(audioMs()).toBe(1_100)
})

it('holds back what the model says on after it was cut, until it pauses', async () => {
  const { clock, mouth, words, statuses, audioMs } = setup()
  mouth.audio(loud(100))
  mouth.cut('turn_detected')
  for (let i = 0; i < 5; i++) {
    await clock.advance(100)
    mouth.audio(loud(100))
    words(' more')
  }
  expect([statuses(), audioMs()]).toEqual([['cancelled turn_detected'], 100])
  await clock.advance(250)
  mouth.audio(loud(100))
  expect(audioMs()).toBe(200)
})

it('lets a model be heard again that goes on regardless: it took the sound for a nod', async () => {
  const { clock, mouth, types, audioMs } = setup()
  mouth.audio(loud(100))
  mouth.cut('turn_detected')
  for (let i = 0; i < 13; i++) {
    await clock.advance(100)
    mouth.audio(loud(100))
  }
  expect(audioMs()).toBe(300)
  expect(types().filter((type) => type === 'responseStarted')).toHaveLength(2)
})

it('passes at once what was asked for, however short the pause before it', async () => {
  const { clock, mouth, audioMs } = setup()
  mouth.audio(loud(100))
  mouth.cut('client_cancelled')
  await clock.advance(50)
  mouth.audio(loud(100))
  mouth.expect('say')
  mouth.audio(loud(100))
  expect(audioMs()).toBe(200)
})

it.each([
  ['speech', 'completed not_spoken'],
  ['goOn', 'completed not_spoken'],
  ['relay', 'completed not_spoken'],
  ['say', 'failed not_spoken'],
] as const)('gives up what was to come of %s after 3.5 s, and says how that counts', async (what, status) => {
  const { clock, mouth, statuses, state } = setup()
  mouth.expect(what)
  await clock.advance(3_499)
  expect(statuses()).toEqual([])
  await clock.advance(1)
  expect([statuses(), state.free]).toEqual([[status], 1])
})

it('waits on while somebody works on it, and while it is held back', async () => {
  const { clock, mouth, statuses, state } = setup()
  mouth.expect('speech')
  state.working = true
  await clock.advance(20_000)
  expect(statuses()).toEqual([])
  state.working = false
  mouth.pause()
  await clock.advance(20_000)
  expect(statuses()).toEqual([])
  mouth.resume()
  await clock.advance(3_500)
  expect(statuses()).toHaveLength(1)
})

it('tells which words were heard by the provider’s own times, whole words only', async () => {
  const { events, mouth, words } = setup()
  // The words are 300 ms each and come well before their sound.
  for (const [i, word] of ['We', ' open', ' at', ' nine', ' o’clock.'].entries()) words(word, 5_000 + i * 300)
  for (let i = 0; i < 15; i++) mouth.audio(loud(100))
  const item = events.find((e) => e.type === 'agentItem')
  const itemId = item?.type === 'agentItem' ? item.itemId : ''
  expect(mouth.heard(itemId, 950)).toEqual({ ms: 950, heard: 'We open at', unheard: 'nine o’clock.' })
  expect(mouth.heard(itemId, 0)).toEqual({ ms: 0, heard: '', unheard: 'We open at nine o’clock.' })
  expect(mouth.heard(itemId, 99_999)).toEqual({ ms: 1_500, heard: 'We open at nine o’clock.', unheard: '' })
  expect(mouth.heard('item_unknown', 10)).toBeUndefined()
})

it('puts a call into what is being said, or into an answer of its own', () => {
  const { events, mouth } = setup()
  const call = {
    type: 'toolCall',
    source: 'provider',
    responseId: 'x',
    itemId: 'i',
    callId: 'c',
    name: 'n',
    arguments: '{}',
  }
  mouth.called(call as Extract<EngineEvent, { type: 'toolCall' }>)
  expect(events.map(({ type }) => type)).toEqual(['responseStarted', 'toolCall', 'responseDone'])
  mouth.audio(loud(100))
  mouth.called(call as Extract<EngineEvent, { type: 'toolCall' }>)
  const ids = events.flatMap((e) => ('responseId' in e ? [e.responseId] : []))
  expect(new Set(ids.slice(0, 3)).size).toBe(1)
  expect(ids.at(-1)).toBe(ids[3])
  expect(ids.at(-1)).not.toBe(ids[0])
})
