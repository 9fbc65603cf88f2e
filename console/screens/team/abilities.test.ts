import { expect, test } from 'vitest'
import { abilityTable, isPlain, resourceName } from './abilities.ts'

test('abilities become a table with read and write first', () => {
  const table = abilityTable(['agents.deploy', 'agents.read', 'agents.write', 'chat.create'])
  expect(table.resources).toEqual(['agents', 'chat'])
  expect(table.actions).toEqual(['read', 'write', 'deploy', 'create'])
  expect(table.has('chat', 'create')).toBe(true)
  expect(table.has('chat', 'read')).toBe(false)
})

test('only an unconditional permission at the lowest priority stands for a cell', () => {
  const policy = { resource: 'agents', action: 'read', effect: 'allow', priority: 0, description: '' } as const
  expect(isPlain(policy, 'agents', 'read')).toBe(true)
  expect(isPlain({ ...policy, kind: 'agt_1' }, 'agents', 'read')).toBe(false)
  expect(isPlain({ ...policy, effect: 'deny' }, 'agents', 'read')).toBe(false)
  expect(isPlain({ ...policy, priority: 5 }, 'agents', 'read')).toBe(false)
})

test('resources are named in words', () => {
  expect(resourceName('entity-types')).toBe('Entity types')
  expect(resourceName('*')).toBe('Everything')
})
