import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { iceGrant } from './ice.ts'

const nowMs = 1_800_000_000_500
const urls = ['stun:stun.example:3478', 'turn:turn.example:3478', 'turns:turn.example:5349?transport=tcp']

test('a relay gets credentials that it can check by itself and that run out', () => {
  const { servers, expiresAt } = iceGrant({ urls, turnSecret: 'a shared secret', turnSeconds: 600 }, 'cont_1', nowMs)
  expect(expiresAt).toBe(1_800_000_600)
  const username = '1800000600:cont_1'
  expect(servers).toEqual([
    { urls: ['stun:stun.example:3478'] },
    {
      urls: urls.slice(1),
      username,
      // What coturn does with `use-auth-secret`.
      credential: createHmac('sha1', 'a shared secret').update(username).digest('base64'),
    },
  ])
  expect(JSON.stringify(servers)).not.toContain('a shared secret')
})

test('without a secret addresses are told as they are, and without addresses nothing', () => {
  expect(iceGrant({ urls, turnSecret: undefined, turnSeconds: 600 }, 'cont_1', nowMs).servers).toEqual([{ urls }])
  expect(iceGrant({ urls: [], turnSecret: 'a shared secret', turnSeconds: 600 }, 'cont_1', nowMs).servers).toEqual([])
})
