import fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitHeard } from './heard.ts'

const sentence = 'We open at nine and close at six.'

test('an answer played to its end was heard whole', () => {
  expect(splitHeard(sentence, { spans: [], audioMs: 3000, playedMs: 3000, audioDone: true })).toEqual({
    heard: sentence,
    unheard: '',
  })
})

test('nothing played is nothing heard', () => {
  expect(splitHeard(sentence, { spans: [], audioMs: 3000, playedMs: 0, audioDone: true })).toEqual({
    heard: '',
    unheard: sentence,
  })
})

test('half of the audio is about half of the words, cut at a word end', () => {
  const split = splitHeard(sentence, { spans: [], audioMs: 3000, playedMs: 1500, audioDone: true })
  expect(split).toEqual({ heard: 'We open at nine', unheard: 'and close at six.' })
})

test('spans of an engine that aligns text to audio are followed exactly', () => {
  const spans = [
    { textEnd: 2, audioMs: 1000 },
    { textEnd: 7, audioMs: 1200 },
    { textEnd: 15, audioMs: 1300 },
  ]
  expect(splitHeard(sentence.slice(0, 15), { spans, audioMs: 1300, playedMs: 1210, audioDone: false }).heard).toBe(
    'We open',
  )
})

test('a played position beyond what was sent counts as what was sent', () => {
  expect(splitHeard(sentence, { spans: [], audioMs: 1000, playedMs: 99_000, audioDone: true }).unheard).toBe('')
})

test('heard and unheard always join to the text, and hearing more never loses words', () => {
  const words = fc.array(fc.stringMatching(/^[a-zäöü.,]{1,9}$/), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(
      words,
      fc.integer({ min: 1, max: 20_000 }),
      fc.array(fc.nat(20_000), { minLength: 2, maxLength: 2 }),
      (list, audioMs, played) => {
        const text = list.join(' ')
        const [less, more] = played
          .toSorted((a, b) => a - b)
          .map((playedMs) => splitHeard(text, { spans: [], audioMs, playedMs, audioDone: true }))
        if (less === undefined || more === undefined) throw new Error('two positions')
        for (const split of [less, more])
          expect([split.heard, split.unheard].filter((part) => part !== '').join(' ')).toBe(text)
        expect(more.heard.startsWith(less.heard)).toBe(true)
      },
    ),
  )
})
