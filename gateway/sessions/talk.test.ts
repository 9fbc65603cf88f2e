import { expect, test } from 'vitest'
import { ManualClock } from '../../test/harness/clock.ts'
import type { Capabilities, Engine, EngineCommand, EngineEvent } from '../engines/engines.ts'
import type { Leg } from './leg.ts'
import { Recorder } from './recorder.ts'
import { Talk } from './talk.ts'

const capabilities: Capabilities = {
  conversation: 'turn',
  cancelSpeech: 'exact',
  truncate: 'native',
  say: 'exact',
  tools: 'inline',
  usage: 'cumulative',
  media: 'relayed',
  hears: 'words',
  inputAudio: 'pcm16_24k',
  outputAudio: 'pcm16_24k',
  maxDurationMs: null,
  mutable: [],
  dialect: 'none',
}

function setup(reportsPlayback: boolean, over: Partial<Capabilities> = {}, isStock = !reportsPlayback) {
  const clock = new ManualClock()
  const commands: EngineCommand[] = []
  const flushed: string[] = []
  const engine: Pick<Engine, 'send' | 'capabilities'> = {
    capabilities: { ...capabilities, ...over },
    send(command) {
      commands.push(command)
      return { is: 'accepted' }
    },
  }
  const leg: Pick<Leg, 'reportsPlayback' | 'isStock' | 'flush'> = {
    reportsPlayback,
    isStock,
    flush: (itemId) => void flushed.push(itemId),
  }
  const recorder = new Recorder({
    clock,
    sessionId: 's',
    conversationId: 'c',
    channel: 'widget',
    write: async () => ({ fenced: [] }),
    onTurn: () => {},
    onFenced: () => {},
    onStored: () => {},
  })
  const talk = new Talk({ clock, recorder, engine, leg, onActivity: () => {}, onTurnEnd: () => {} })
  const event = (each: Record<string, unknown>): boolean =>
    talk.event({ source: 'provider', responseId: 'r', ...each } as EngineEvent)
  const words = ['We', ' open', ' at', ' nine', ' and', ' close', ' at', ' six.']
  /** One word per 500 ms of audio, 4 s in all. */
  const answer = (): void => {
    event({ type: 'responseStarted' })
    for (const delta of words) {
      event({ type: 'agentText', itemId: 'a', spoken: true, delta })
      event({ type: 'audio', itemId: 'a', ms: 500 })
    }
  }
  const speak = (): boolean => event({ type: 'userSpeech', phase: 'start', itemId: 'u', atMs: 0, interrupts: true })
  return { clock, commands, flushed, recorder, talk, event, answer, speak }
}

test('[S9] the player’s last report decides what was heard, and the engine is told', () => {
  const { commands, flushed, recorder, talk, answer, speak } = setup(true)
  answer()
  talk.played('a', 1_000, false)
  speak()
  expect(flushed).toEqual(['a'])
  talk.played('a', 2_000, true)
  expect(recorder.find('a')).toMatchObject({
    state: 'interrupted',
    text: 'We open at nine',
    unheard: 'and close at six.',
    audio: { sentMs: 4_000, playedMs: 2_000 },
  })
  expect(commands).toEqual([{ type: 'truncate', itemId: 'a', heardMs: 2_000 }])
  expect(recorder.interruptions).toBe(1)
})

test('[S21] what the owner before had sent is said anew from where the client says its player was', () => {
  const { commands, recorder, talk } = setup(true)
  const text = 'We open at nine and close at six.'
  recorder.begin('old', 'agent', true)
  recorder.change('old', { text, state: 'final', audio: { sentMs: 4_000, playedMs: 1_000 } })
  talk.restore({ itemId: 'old', text, sentMs: 4_000, playedMs: 1_000 })
  talk.played('old', 2_000, true)
  expect(talk.restUnplayed()).toBe('and close at six.')
  expect(recorder.find('old')).toMatchObject({ state: 'interrupted', text: 'We open at nine' })
  // The engine of this owner never heard of the item.
  expect(commands).toEqual([])
})

test('[S21] what the client heard to its end is not said anew, whoever had sent it', () => {
  const { recorder, talk } = setup(true)
  const text = 'We open at nine.'
  recorder.begin('old', 'agent', true)
  recorder.change('old', { text, state: 'final', audio: { sentMs: 2_000, playedMs: 1_000 } })
  talk.restore({ itemId: 'old', text, sentMs: 2_000, playedMs: 1_000 })
  talk.played('old', 2_000, true)
  expect(talk.restUnplayed()).toBe('')
  expect(recorder.find('old')).toMatchObject({ state: 'final', text })
})

test('[S17] an answer that broke off with its engine stays open until it goes on: who takes over sees what is owed', () => {
  const { recorder, event } = setup(true)
  event({ type: 'agentText', itemId: 'a', spoken: false, delta: 'We open' })
  event({ type: 'responseDone', source: 'local', status: 'incomplete' })
  expect(recorder.find('a')).toMatchObject({ state: 'partial', text: 'We open' })
  event({ type: 'agentText', responseId: 'r2', itemId: 'b', spoken: false, delta: ' at nine.' })
  event({ type: 'responseDone', responseId: 'r2', status: 'completed' })
  expect(['a', 'b'].map((itemId) => recorder.find(itemId)?.state)).toEqual(['final', 'final'])
})

test('[S9] an engine that cannot cut the sound it keeps is told the words that were heard', () => {
  const { commands, talk, answer, speak } = setup(true, { truncate: 'note' })
  answer()
  speak()
  talk.played('a', 2_000, true)
  expect(commands).toEqual([
    { type: 'truncate', itemId: 'a', heardMs: 2_000, text: { heard: 'We open at nine', unheard: 'and close at six.' } },
  ])
})

test('[S9] an engine that takes notes is told what was heard, even where that is nothing or only inferred', async () => {
  const whole = 'We open at nine and close at six.'
  const nothing = setup(true, { truncate: 'note' })
  nothing.answer()
  nothing.speak()
  nothing.talk.played('a', 0, true)
  expect(nothing.commands).toEqual([{ type: 'truncate', itemId: 'a', heardMs: 0, text: { heard: '', unheard: whole } }])
  const inferred = setup(false, { truncate: 'note' })
  inferred.answer()
  inferred.speak()
  await inferred.clock.advance(399)
  expect(inferred.commands).toEqual([])
  await inferred.clock.advance(1)
  expect(inferred.commands).toMatchObject([{ type: 'truncate', itemId: 'a', text: { unheard: whole } }])
  // The client knows better, and tells the engine so itself.
  const exact = setup(false, { truncate: 'note' })
  exact.answer()
  exact.speak()
  exact.talk.truncatedByClient('a', 2_000)
  await exact.clock.advance(1_000)
  expect(exact.commands).toEqual([])
  // One that truncates by itself is not told: the protocol's own client does that.
  const native = setup(false)
  native.answer()
  native.speak()
  expect(native.commands).toEqual([])
})

test('[S9] a player that does not answer is taken at its last word', async () => {
  const { clock, recorder, talk, answer, speak } = setup(true)
  answer()
  talk.played('a', 1_500, false)
  speak()
  expect(recorder.find('a')?.state).toBe('partial')
  await clock.advance(400)
  expect(recorder.find('a')).toMatchObject({ state: 'interrupted', text: 'We open at' })
})

test('[S9] nothing was played: nothing was heard, and no truncate at 0 ms is sent', async () => {
  const { clock, commands, recorder, answer, speak } = setup(true)
  answer()
  speak()
  await clock.advance(400)
  expect(recorder.find('a')).toMatchObject({
    state: 'interrupted',
    text: '',
    unheard: 'We open at nine and close at six.',
  })
  expect(commands).toEqual([])
})

test('[S9] an answer that was complete and played is not interrupted by the next question', () => {
  const { flushed, recorder, talk, event, answer, speak } = setup(true)
  answer()
  event({ type: 'audioDone', itemId: 'a' })
  event({ type: 'responseDone', status: 'completed' })
  talk.played('a', 4_000, true)
  speak()
  expect(flushed).toEqual([])
  expect(recorder.find('a')).toMatchObject({ state: 'final', text: 'We open at nine and close at six.' })
  expect(recorder.interruptions).toBe(0)
})

test('[S9] an answer that is generated but still playing is cut like any other', () => {
  const { recorder, talk, event, answer, speak } = setup(true)
  answer()
  event({ type: 'audioDone', itemId: 'a' })
  event({ type: 'responseDone', status: 'completed' })
  expect(recorder.find('a')?.state).toBe('final')
  speak()
  talk.played('a', 1_000, true)
  expect(recorder.find('a')).toMatchObject({ state: 'interrupted' })
})

test('[S10] what still arrives for a cut item is neither forwarded nor written', async () => {
  const { clock, recorder, event, answer, speak } = setup(true)
  answer()
  speak()
  await clock.advance(400)
  const before = recorder.find('a')
  expect(event({ type: 'audio', itemId: 'a', ms: 500 })).toBe(false)
  expect(event({ type: 'agentText', itemId: 'a', spoken: true, delta: ' late' })).toBe(false)
  expect(recorder.find('a')).toEqual(before)
})

test('[S11] a stock client’s truncate is the better witness, but not beyond what was sent', () => {
  const { recorder, talk, answer, speak } = setup(false)
  answer()
  speak()
  talk.truncatedByClient('a', 1_000)
  expect(recorder.find('a')).toMatchObject({ text: 'We open', audio: { playedMs: 1_000 } })
  const other = setup(false)
  other.answer()
  other.talk.truncatedByClient('a', 99_000)
  expect(other.recorder.find('a')?.audio?.playedMs).toBe(4_000)
  expect(recorder.interruptions).toBe(1)
})

test('[S9] a leg that vanishes heard what its player had reported; that is no interruption', () => {
  const { recorder, talk, answer } = setup(true)
  answer()
  talk.played('a', 2_000, false)
  talk.hangUp()
  expect(recorder.find('a')).toMatchObject({ state: 'interrupted', text: 'We open at nine' })
  expect(recorder.interruptions).toBe(0)
})

test('speech that nobody could transcribe is written down as such', () => {
  const { recorder, event } = setup(true)
  event({ type: 'userSpeech', phase: 'start', itemId: 'u', atMs: 1_000, interrupts: false })
  event({ type: 'userSpeech', phase: 'stop', itemId: 'u', atMs: 3_100, interrupts: false })
  event({ type: 'userText', itemId: 'u', failed: 'no recogniser' })
  expect(recorder.find('u')).toMatchObject({ state: 'final', text: '[2.1 s of speech, not transcribed]' })
})

test('words that came before their end was lost are kept', () => {
  const { recorder, event } = setup(true)
  event({ type: 'userSpeech', phase: 'start', itemId: 'u', atMs: 1_000, interrupts: false })
  event({ type: 'userText', itemId: 'u', delta: 'Tell me a' })
  event({ type: 'userText', itemId: 'u', delta: ' legend' })
  event({ type: 'userSpeech', phase: 'stop', itemId: 'u', atMs: 3_100, interrupts: false })
  event({ type: 'userText', itemId: 'u', failed: 'engine_lost' })
  expect(recorder.find('u')).toMatchObject({ state: 'final', text: 'Tell me a legend' })
})

test('[S21] a player that was lost gets nothing more of its answer, and back again hears the rest from the cut word on', () => {
  const { recorder, talk, event, answer } = setup(true)
  answer()
  talk.played('a', 2_000, false)
  talk.lost()
  expect(event({ type: 'audio', itemId: 'a', ms: 500 })).toBe(false)
  expect(talk.responding).toBe(true)
  event({ type: 'audioDone', itemId: 'a' })
  event({ type: 'responseDone', status: 'completed' })
  expect(talk.responding).toBe(false)
  talk.here()
  expect(talk.restUnplayed()).toBe('and close at six.')
  expect(recorder.find('a')).toMatchObject({
    state: 'interrupted',
    text: 'We open at nine',
    unheard: 'and close at six.',
  })
  expect(talk.restUnplayed()).toBe('')
  expect(event({ type: 'audio', responseId: 'r2', itemId: 'b', ms: 500 })).toBe(true)
})

test('[S21] what begins while nobody listens is kept whole for the return', () => {
  const { talk, event, answer } = setup(true)
  talk.lost()
  answer()
  event({ type: 'audioDone', itemId: 'a' })
  event({ type: 'responseDone', status: 'completed' })
  talk.here()
  expect(talk.restUnplayed()).toBe('We open at nine and close at six.')
})

test('an engine without sound of its own is told what was heard, and also that nothing was; a provider is not asked to cut at 0', () => {
  for (const [truncate, playedMs, heardMs] of [
    ['rewrite', 1_200, 1_200],
    ['rewrite', 0, 0],
    ['native', 1_200, 1_200],
    ['native', 0, undefined],
    ['note', 1_200, 1_200],
    ['note', 0, 0],
  ] as const) {
    const { answer, speak, talk, commands } = setup(true, { truncate })
    answer()
    speak()
    talk.played('a', playedMs, true)
    const told = heardMs === undefined ? [] : [{ type: 'truncate', itemId: 'a', heardMs }]
    expect([truncate, playedMs, commands]).toMatchObject([truncate, playedMs, told])
    expect(commands).toHaveLength(told.length)
    // Who has no sound to cut is told the words.
    expect(commands.every((command) => 'text' in command === (truncate !== 'native'))).toBe(true)
  }
})

test('[S9] a stock client whose player is ours: a cancelled answer is heard as far as it came, unless the player is cleared', () => {
  for (const [cleared, playedMs, text] of [
    [false, 4_000, 'We open at nine and close at six.'],
    [true, 2_000, 'We open at nine'],
  ] as const) {
    const { talk, event, answer, recorder, flushed } = setup(true, {}, true)
    answer()
    talk.played('a', 1_000, false)
    event({ type: 'responseDone', status: 'cancelled', reason: 'client_cancelled' })
    expect(recorder.find('a')?.state).toBe('partial')
    if (cleared) talk.interrupt()
    expect(flushed).toEqual(cleared ? ['a'] : [])
    talk.played('a', playedMs, true)
    expect(recorder.find('a')?.text).toBe(text)
    expect(recorder.find('a')?.state).toBe(cleared ? 'interrupted' : 'final')
  }
})

test('[S9] a player that reports within the flush is believed: time that passed says nothing of the next item', async () => {
  const { clock, talk, event, answer, recorder, speak } = setup(true, {}, true)
  answer()
  event({ type: 'agentText', itemId: 'b', spoken: true, delta: 'Come and see us.' })
  event({ type: 'audio', itemId: 'b', ms: 2_000 })
  await clock.advance(1_500)
  talk.played('a', 1_500, true)
  speak()
  talk.played('b', 0, true)
  expect(recorder.find('b')).toMatchObject({ state: 'interrupted', text: '', unheard: 'Come and see us.' })
  expect(recorder.find('a')).toMatchObject({ audio: { sentMs: 4_000, playedMs: 1_500 } })
})

test('a stock client gets the end of an item that was cut', () => {
  const { talk, event, answer, speak } = setup(true, {}, true)
  answer()
  speak()
  talk.played('a', 1_000, true)
  expect(event({ type: 'audioDone', itemId: 'a' })).toBe(true)
  expect(event({ type: 'audio', itemId: 'a', ms: 100 })).toBe(false)
})

test('[S9] sound that goes past us: time decides what was heard until the provider tells better, whatever the leg could report', async () => {
  const { clock, commands, recorder, event, answer, speak } = setup(true, { media: 'direct' })
  answer()
  await clock.advance(1_000)
  speak()
  expect(recorder.find('a')).toMatchObject({
    state: 'interrupted',
    text: 'We open',
    unheard: 'at nine and close at six.',
  })
  event({ type: 'truncated', itemId: 'a', heardMs: 2_000 })
  expect(recorder.find('a')).toMatchObject({ text: 'We open at nine', unheard: 'and close at six.' })
  // The provider plays it: it has nothing to be told.
  expect(commands).toEqual([])
  expect(recorder.interruptions).toBe(1)
})

test('[S21] of a direct call that is lost, what was complete and still to be heard is given back once', async () => {
  const { clock, recorder, talk, event, answer } = setup(true, { media: 'direct' })
  answer()
  event({ type: 'audioDone', itemId: 'a' })
  await clock.advance(2_000)
  // While it is being made, whoever makes it knows what is missing.
  expect(talk.restOfComplete()).toBe('')
  event({ type: 'responseDone', status: 'completed' })
  expect(talk.restOfComplete()).toBe('and close at six.')
  expect(recorder.find('a')).toMatchObject({ state: 'interrupted', text: 'We open at nine' })
  expect(talk.restOfComplete()).toBe('')
})
