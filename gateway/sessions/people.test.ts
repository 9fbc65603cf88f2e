import { expect, test } from 'vitest'
import { joinPeople } from './people.ts'

test('two contacts of one e-mail are one person on the invoice; those without stay apart', () => {
  const usage = [
    { contactId: 'browser', sessions: 2, seconds: 30, creditsMicro: 300 },
    { contactId: 'phone', sessions: 1, seconds: 10, creditsMicro: 100 },
    { contactId: 'unknown', sessions: 1, seconds: 5, creditsMicro: 50 },
  ]
  const hashes = new Map([
    ['browser', 'h1'],
    ['phone', 'h1'],
  ])
  expect(joinPeople(usage, hashes)).toEqual([
    { emailHash: 'h1', contactIds: ['browser', 'phone'], sessions: 3, seconds: 40, creditsMicro: 400 },
    { emailHash: null, contactIds: ['unknown'], sessions: 1, seconds: 5, creditsMicro: 50 },
  ])
})
