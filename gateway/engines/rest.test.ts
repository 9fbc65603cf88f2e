import { expect, it } from 'vitest'
import { restOf } from './rest.ts'

const answer = 'We deliver on every weekday. The driver calls first; two people carry it.'

it('gives what follows the words that were said', () => {
  expect(restOf(answer, 'We deliver on')).toBe('every weekday. The driver calls first; two people carry it.')
  expect(restOf(answer, 'we deliver ON every weekday')).toBe('The driver calls first; two people carry it.')
  expect(restOf(answer, 'We deliver on every weekday. The driver calls first')).toBe('two people carry it.')
  expect(restOf(answer, '')).toBe(answer)
})

it('gives nothing when all was said', () => {
  expect(restOf(answer, answer)).toBe('')
  expect(restOf(answer, `${answer} `)).toBe('')
})

it('says a word again that was cut in the middle', () => {
  expect(restOf(answer, 'We deliver on every week')).toBe('weekday. The driver calls first; two people carry it.')
})

it('never says a sentence again of an answer in other words', () => {
  expect(restOf(answer, 'Good question! The driver calls first, two people carry it.')).toBe(
    'We deliver on every weekday.',
  )
  expect(restOf(answer, 'Well, we deliver on')).toBe(answer)
  expect(restOf('Yes.', 'Certainly. Yes. And')).toBe('')
})
