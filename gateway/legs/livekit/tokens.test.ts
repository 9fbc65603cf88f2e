import { decodeJwt, jwtVerify } from 'jose'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { agentIdentity, agentToken, callerToken, tokenLifeSeconds } from './tokens.ts'

const keys = { apiKey: 'key', apiSecret: 'a secret of the operator, nobody else knows it' }
const seat = { room: 'ten_1.room', identity: 'vis_1', name: 'Ada' }

test('a caller may enter one room for a minute, speak and write there, and nothing else', async () => {
  const { payload } = await jwtVerify(await callerToken(keys, seat), new TextEncoder().encode(keys.apiSecret))
  expect(payload.video).toEqual({
    roomJoin: true,
    room: 'ten_1.room',
    canPublish: true,
    canPublishSources: ['microphone'],
    canSubscribe: true,
    canPublishData: true,
    canUpdateOwnMetadata: false,
  })
  expect(payload).toMatchObject({ iss: 'key', sub: 'vis_1', name: 'Ada' })
  const { exp = 0, nbf = 0 } = payload
  expect(exp - nbf).toBe(tokenLifeSeconds)
  expect(Object.keys(payload).sort()).toEqual(['exp', 'iss', 'name', 'nbf', 'sub', 'video'])
})

test('the secret is in no token', async () => {
  for (const token of [await callerToken(keys, seat), await agentToken(keys, { ...seat, caller: 'vis_1' })])
    for (const part of token.split('.'))
      expect(Buffer.from(part, 'base64url').toString('latin1')).not.toContain(keys.apiSecret)
})

test('an agent is one by kind, tells its state and whom it listens to', async () => {
  const claims = z
    .object({
      kind: z.string(),
      attributes: z.record(z.string(), z.string()),
      video: z.record(z.string(), z.unknown()),
    })
    .parse(decodeJwt(await agentToken(keys, { ...seat, identity: 'agent-1', caller: 'vis_1' })))
  expect(claims.kind).toBe('agent')
  expect(claims.attributes).toEqual({ 'lk.agent.state': 'initializing', 'parley.caller': 'vis_1' })
  expect(claims.video).toMatchObject({ room: 'ten_1.room', canPublishSources: ['microphone'] })
  expect(claims.video.roomAdmin).toBeUndefined()
})

test('one caller of one room has one agent, whoever makes it', () => {
  expect(agentIdentity('a', 'b')).toBe(agentIdentity('a', 'b'))
  expect(new Set([agentIdentity('a', 'b'), agentIdentity('a', 'c'), agentIdentity('c', 'b')]).size).toBe(3)
  // Neither part can be mistaken for a piece of the other.
  expect(agentIdentity('a","b', 'c')).not.toBe(agentIdentity('a', 'b","c'))
  expect(agentIdentity('ab', 'c')).not.toBe(agentIdentity('a', 'bc'))
})
