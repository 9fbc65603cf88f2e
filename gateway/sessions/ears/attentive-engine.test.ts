import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ManualClock } from '../../../test/harness/clock.ts'
import { pieces, speechPcm } from '../../../test/harness/speech.ts'
import type { Capabilities, Engine, EngineCommand, EngineEvent } from '../../engines/engines.ts'
import { type AttentionSettings, AttentiveEngine } from './attentive-engine.ts'

const capabilities: Capabilities = {
  ...{ conversation: 'turn', cancelSpeech: 'exact', truncate: 'native', say: 'exact', tools: 'inline' },
  ...{ usage: 'cumulative', media: 'relayed', hears: 'words', inputAudio: 'pcm16_24k', outputAudio: 'pcm16_24k' },
  ...{ maxDurationMs: null, mutable: [], dialect: 'none' },
}

function setup(over: Partial<AttentionSettings> = {}, canHold = true) {
  const clock = new ManualClock()
  const sent: EngineCommand[] = []
  const heard: Buffer[] = []
  const told: EngineEvent[] = []
  const holds: boolean[] = []
  const engine: Engine = {
    ...{ kind: 'demo', capabilities, bufferedBytes: 0 },
    ...{ start: () => {}, pause: () => {}, resume: () => {}, close: () => {} },
    send(command) {
      sent.push(command)
      return { is: 'accepted' }
    },
    audio: (input) => void ('pcm' in input && heard.push(input.pcm)),
  }
  const ears = new AttentiveEngine({
    ...{ clock, engine, language: 'en', takeBack: () => 'the rest' },
    leg: canHold ? { hold: (on) => void holds.push(on) } : {},
    settings: { decides: true, filtersEcho: true, nods: [], ...over },
    // The session flushes its player when speech begins.
    tell: (event) => {
      told.push(event)
      if (event.type === 'userSpeech' && event.phase === 'start') ears.cut('a')
    },
  })
  const event = (each: Record<string, unknown>): void => ears.event({ source: 'provider', ...each } as EngineEvent)
  const speech = (phase: 'start' | 'stop', itemId = 'u', interrupts = false): void =>
    event({ type: 'userSpeech', phase, itemId, atMs: 0, interrupts })
  /** An answer of 20 s of nearly nothing: it sounds, and nobody can mistake a voice for it. */
  const answer = (): void => {
    event({ type: 'responseStarted', responseId: 'r' })
    for (let i = 0; i < 40; i++)
      event({ type: 'audio', responseId: 'r', itemId: 'a', pcm: Buffer.alloc(24_000), ms: 500 })
  }
  const verdicts = () => sent.filter(({ type }) => type === 'interrupt' || type === 'ignore')
  const starts = () => told.filter((each) => each.type === 'userSpeech' && each.phase === 'start').length
  const say = async (pcm: Buffer): Promise<void> => {
    for (const piece of pieces(pcm, 20)) {
      ears.audio({ pcm: piece })
      await clock.advance(20)
    }
  }
  return { clock, sent, heard, told, holds, ears, event, speech, answer, verdicts, starts, say }
}

test('[S40] speech while the agent is silent is meant at once', () => {
  const { speech, verdicts, starts } = setup()
  speech('start')
  expect(starts()).toBe(1)
  expect(verdicts()).toEqual([{ type: 'interrupt', itemId: 'u' }])
})

test('[S40] an engine that stops for speech by itself is believed, and so is one that is left to decide', () => {
  for (const [over, interrupts] of [
    [{}, true],
    [{ decides: false }, false],
  ] as const) {
    const { answer, speech, verdicts, starts } = setup(over)
    answer()
    speech('start', 'u', interrupts)
    expect(starts()).toBe(1)
    expect(verdicts()).toEqual([])
  }
})

test('[S40] words that say something stop the agent, the start being told before its end and before the words', async () => {
  const { clock, answer, event, speech, told, verdicts, starts } = setup()
  answer()
  await clock.advance(500)
  speech('start')
  speech('stop')
  expect(starts()).toBe(0)
  event({ type: 'userText', itemId: 'u', final: 'Stop' })
  expect(verdicts()).toEqual([{ type: 'interrupt', itemId: 'u' }])
  expect(told.slice(-3).map(({ type }) => type)).toEqual(['userSpeech', 'userSpeech', 'userText'])
})

test('[S42] a nod is written down and stops nothing; after the agent’s end it is an answer', async () => {
  for (const isOver of [false, true]) {
    const { clock, answer, event, ears, speech, told, verdicts, starts } = setup()
    answer()
    await clock.advance(500)
    speech('start')
    speech('stop')
    if (isOver) {
      event({ type: 'responseDone', responseId: 'r', status: 'completed' })
      ears.cut('a')
    }
    event({ type: 'userText', itemId: 'u', final: 'Okay.' })
    expect(verdicts()).toEqual([
      isOver ? { type: 'interrupt', itemId: 'u' } : { type: 'ignore', itemId: 'u', why: 'backchannel' },
    ])
    expect(starts()).toBe(isOver ? 1 : 0)
    expect(told.some((each) => each.type === 'userText' && each.final === 'Okay.')).toBe(true)
  }
})

test('[S43] speech without words is noise: the session hears of no words, and of no speech', async () => {
  const { clock, answer, event, speech, told, verdicts, starts } = setup()
  answer()
  await clock.advance(500)
  speech('start')
  speech('stop')
  event({ type: 'userText', itemId: 'u', final: '' })
  expect(verdicts()).toEqual([{ type: 'ignore', itemId: 'u', why: 'noise' }])
  expect(starts()).toBe(0)
  expect(told.at(-1)).toMatchObject({ type: 'userText', final: '' })
})

test('[S44] words that the agent said itself are an echo', async () => {
  const { clock, answer, event, speech, verdicts, told } = setup()
  answer()
  for (const delta of ['We', ' open', ' at', ' nine', ' and', ' close', ' at', ' six.'])
    event({ type: 'agentText', responseId: 'r', itemId: 'a', spoken: true, delta })
  await clock.advance(500)
  speech('start')
  speech('stop')
  event({ type: 'userText', itemId: 'u', final: 'open at nine and close' })
  expect(verdicts()).toEqual([{ type: 'ignore', itemId: 'u', why: 'echo' }])
  expect(told.at(-1)).toMatchObject({ type: 'userText', final: '' })
  // Who asks back says something of his own, or less.
  speech('start', 'v')
  speech('stop', 'v')
  event({ type: 'userText', itemId: 'v', final: 'at nine?' })
  expect(verdicts().at(-1)).toEqual({ type: 'interrupt', itemId: 'v' })
})

test('[S41] a voice holds the player and its length cuts; a short one lets it go on', async () => {
  const long = setup()
  long.answer()
  await long.clock.advance(600)
  await long.say(Buffer.alloc(48 * 2_000))
  long.speech('start')
  await long.say(await speechPcm('Excuse me, can I talk to somebody about my bill?'))
  expect(long.holds).toEqual([true, false])
  expect(long.verdicts()).toEqual([{ type: 'interrupt', itemId: 'u' }])
  const short = setup()
  short.answer()
  await short.clock.advance(600)
  await short.say(Buffer.alloc(48 * 2_000))
  await short.say(Buffer.concat([await speechPcm('yeah'), Buffer.alloc(48 * 800)]))
  expect(short.holds).toEqual([true, false])
  expect(short.verdicts()).toEqual([])
})

test('[S41] a microphone that is muted in the middle of a word releases the player', async () => {
  const { clock, answer, say, holds } = setup()
  answer()
  await clock.advance(600)
  await say(Buffer.alloc(48 * 2_000))
  await say((await speechPcm('Excuse me')).subarray(0, 48 * 500))
  expect(holds).toEqual([true])
  await clock.advance(700)
  expect(holds).toEqual([true, false])
})

test('[S45] a guarded sentence is not interrupted; what was said meanwhile is meant after it', async () => {
  const { clock, ears, answer, event, speech, verdicts, starts } = setup({ guarded: 'Welcome.' })
  ears.send({ type: 'say', text: 'Welcome.' })
  answer()
  await clock.advance(500)
  speech('start')
  speech('stop')
  event({ type: 'userText', itemId: 'u', final: 'I have a question' })
  expect([starts(), verdicts()]).toEqual([0, []])
  event({ type: 'responseDone', responseId: 'r', status: 'completed' })
  await clock.advance(21_000)
  expect(verdicts()).toEqual([{ type: 'interrupt', itemId: 'u' }])
})

test('[S46] what was cut for nothing is said after all', async () => {
  const { clock, answer, event, ears, speech, say, sent } = setup()
  answer()
  await clock.advance(600)
  await say(Buffer.alloc(48 * 2_000))
  speech('start')
  await say(await speechPcm('Excuse me, can I talk to somebody about my bill?'))
  ears.cut('a')
  event({ type: 'responseDone', responseId: 'r', status: 'cancelled' })
  speech('stop')
  event({ type: 'userText', itemId: 'u', final: '' })
  expect(sent.at(-1)).toEqual({ type: 'say', text: 'the rest' })
})

test('near-silence becomes silence, and a voice is passed on as it is', async () => {
  const { ears, heard } = setup()
  const hum = Buffer.alloc(960)
  for (let i = 0; i < 960; i += 2) hum.writeInt16LE(i % 4 === 0 ? 9 : -9, i)
  for (let i = 0; i < 40; i++) ears.audio({ pcm: hum })
  expect(heard[0]).toBe(hum)
  expect(heard.at(-1)?.every((byte) => byte === 0)).toBe(true)
  const voice = (await speechPcm('hello')).subarray(48 * 200, 48 * 220)
  ears.audio({ pcm: voice })
  expect(heard.at(-1)).toBe(voice)
})

test('[S40] [S47] whatever comes in whatever order, all speech gets one verdict within 6 s, and no start is told twice', async () => {
  const step = fc.record({
    what: fc.constantFrom('start', 'stop', 'words', 'nothing', 'failed', 'answer', 'done', 'cut', 'lost', 'here'),
    item: fc.nat({ max: 3 }),
    afterMs: fc.nat({ max: 900 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, canHold) => {
      const { clock, answer, event, ears, speech, verdicts, told } = setup({}, canHold)
      const state = new Map<string, 'on' | 'over'>()
      let count = 0
      for (const { what, item, afterMs } of steps) {
        const itemId = `u${count}_${item}`
        if (what === 'start') {
          const next = `u${++count}_${item}`
          state.set(next, 'on')
          speech('start', next)
        } else if (what === 'stop' && state.get(itemId) === 'on') {
          state.set(itemId, 'over')
          speech('stop', itemId)
        } else if (what === 'words') event({ type: 'userText', itemId, final: 'give me the price' })
        else if (what === 'nothing') event({ type: 'userText', itemId, final: '' })
        else if (what === 'failed') event({ type: 'userText', itemId, failed: 'lost' })
        else if (what === 'answer') answer()
        else if (what === 'done') event({ type: 'responseDone', responseId: 'r', status: 'completed' })
        else if (what === 'cut') ears.cut('a')
        else if (what === 'lost') ears.lost()
        else if (what === 'here') ears.here()
        await clock.advance(afterMs)
      }
      for (const [itemId, at] of state) if (at === 'on') speech('stop', itemId)
      await clock.advance(6_000)
      const judged = verdicts().map((each) => ('itemId' in each ? each.itemId : ''))
      expect(judged.toSorted()).toEqual([...state.keys()].toSorted())
      const starts = told.flatMap((each) => (each.type === 'userSpeech' && each.phase === 'start' ? [each.itemId] : []))
      expect(new Set(starts).size).toBe(starts.length)
    }),
    { numRuns: 40 },
  )
})
