import { expect, test } from 'vitest'
import { formOf, newKeyForm, wishOf } from './key-rights.ts'

test('a key that nobody chose rights for leaves them to the gateway', () => {
  expect(wishOf({ ...newKeyForm, label: ' Backend ' })).toEqual({ label: 'Backend', agentIds: [], expiresAt: null })
})

test('a key works until the end of its last day', () => {
  expect(wishOf({ ...newKeyForm, label: 'a', expires: '2026-12-31' }).expiresAt).toBe('2026-12-31T23:59:59.999Z')
})

test('a key is edited as it is', () => {
  const key = {
    ...({
      id: 'key_1',
      prefix: 'af_live_1',
      label: 'Backend',
      status: 'active',
      lastUsedAt: null,
      role: null,
    } as const),
    ...{ scopes: ['chat.create'], agentIds: ['agt_1'], expiresAt: '2026-12-31T23:59:59.999Z' },
    createdAt: '2026-01-01T00:00:00.000Z',
  }
  expect(wishOf(formOf(key))).toEqual({
    label: 'Backend',
    scopes: ['chat.create'],
    agentIds: ['agt_1'],
    expiresAt: '2026-12-31T23:59:59.999Z',
  })
})
