import { expect, test } from 'vitest'
import { problems } from '../gateway/protocol/codes.ts'
import { isRightToLeft, wordsFor } from './languages.ts'

test('the first language that exists wins, whatever its region', async () => {
  expect((await wordsFor(['', 'fr-FR', 'DE-at', 'es'])).lang).toBe('de')
  expect((await wordsFor(['ar-EG'])).lang).toBe('ar')
  expect((await wordsFor(['fr'])).lang).toBe('en')
})

test('only Arabic reads from the right', () => {
  expect(['en', 'de', 'es', 'ar'].filter(isRightToLeft)).toEqual(['ar'])
})

/** Refusals that no visitor can meet: they belong to the API and the console. */
const notForVisitors = new Set([
  'invalid',
  'address_refused',
  'unreachable',
  'not_found',
  'conflict',
  'ended_by_janitor',
  'gone',
  'too_large',
  'unsupported',
  // The widget talks over its socket then.
  'webrtc_unavailable',
  'livekit_unavailable',
])

test.each(['de', 'es', 'ar'])('%s has words for every refusal a visitor can meet', async (lang) => {
  const { words } = await wordsFor([lang])
  for (const code of Object.keys(problems)) if (!notForVisitors.has(code)) expect(words.problems).toHaveProperty(code)
})

test.each(['en', 'de', 'es', 'ar'])('no word of %s is empty', async (lang) => {
  const all = (value: unknown): unknown[] =>
    typeof value === 'object' && value !== null ? Object.values(value).flatMap(all) : [value]
  for (const word of all((await wordsFor([lang])).words)) expect(word).toMatch(/\S/)
})
