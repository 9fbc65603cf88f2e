import { expect, test } from 'vitest'
import { authAs } from '../../test/harness/auth.ts'
import {
  type CallPolicy,
  narrowed,
  permissionFor,
  roleAllows,
  type ToolPermission,
  verdictOn,
  without,
} from './permission.ts'

const policy = (over: Partial<CallPolicy>): CallPolicy => ({
  ...{ autonomyLevel: 'autonomous', requireApprovalFor: [], toolPermissions: [] },
  ...over,
})
const read = { name: 'search_contacts', category: 'crm', readOnly: true } as const
const write = { name: 'send_email', category: 'email', readOnly: false } as const
const permission = (over: Partial<ToolPermission>): ToolPermission => ({
  ...{ tool: '*', roles: [], identity: 'configured', role: null, actions: null, deniedFields: [] },
  ...over,
})

test.each([
  ['supervised', 'write', 'ask'],
  ['supervised', 'read', 'ask'],
  ['autonomous', 'write', 'run'],
  ['autonomous', 'read', 'run'],
  ['draft_only', 'write', 'refuse'],
  ['draft_only', 'read', 'run'],
] as const)('[S000-34] of a %s agent a call that does %s: %s', (autonomyLevel, effect, is) => {
  expect(verdictOn(policy({ autonomyLevel }), effect === 'read' ? read : write).is).toBe(is)
})

test('[S000-34] what the config names waits for a person, whatever the level, unless it is refused', () => {
  const requireApprovalFor = ['send_email', 'search_contacts']
  expect(verdictOn(policy({ requireApprovalFor }), write).is).toBe('ask')
  expect(verdictOn(policy({ requireApprovalFor, autonomyLevel: 'draft_only' }), write).is).toBe('refuse')
  expect(verdictOn(policy({ requireApprovalFor, autonomyLevel: 'draft_only' }), read).is).toBe('ask')
})

test('[S000-34] what is only shown asks nobody, also of a supervised agent', () => {
  const shown = { name: 'show_chart', category: 'visuals', readOnly: true } as const
  expect(verdictOn(policy({ autonomyLevel: 'supervised' }), shown).is).toBe('run')
  expect(verdictOn(policy({ autonomyLevel: 'supervised', requireApprovalFor: ['show_chart'] }), shown).is).toBe('ask')
})

test('[S001-21] a permission of the tool goes before the one for all', () => {
  const own = permission({ tool: 'send_email', identity: 'inherit' })
  const toolPermissions = [permission({ identity: 'system' }), own]
  expect(permissionFor(policy({ toolPermissions }), 'send_email')).toBe(own)
  expect(permissionFor(policy({ toolPermissions }), 'other')?.identity).toBe('system')
  expect(permissionFor(policy({}), 'other')).toBeUndefined()
})

test('[S001-21] roles that are named have to be the caller’s', () => {
  expect(roleAllows(permission({}), undefined)).toBe(true)
  expect(roleAllows(permission({ roles: ['desk'] }), undefined)).toBe(false)
  expect(roleAllows(permission({ roles: ['desk'] }), { roles: ['client'] })).toBe(false)
  expect(roleAllows(permission({ roles: ['desk', 'client'] }), { roles: ['client'] })).toBe(true)
})

test('[S001-21] rights are narrowed to the named actions, and denied fields are neither told nor asked by', () => {
  const auth = narrowed(
    authAs('ten_1', { may: (ability) => ability !== 'entities.write' }),
    permission({ actions: ['entities.read', 'entities.write'], deniedFields: ['data.phone'] }),
  )
  expect(auth.may('entities.read')).toBe(true)
  expect(auth.may('events.read')).toBe(false)
  expect(auth.may('entities.write')).toBe(false)
  expect(auth.sees('entities', 'data.phone')).toBe(false)
  expect(auth.sees('entities', '*')).toBe(false)
  expect(auth.sees('entities', 'data.name')).toBe(true)
  expect(auth.masked('entities', { id: 'e', data: { name: 'Ann', phone: '1' } })).toEqual({
    id: 'e',
    data: { name: 'Ann' },
  })
})

test('[S001-21] a denied field is taken out wherever it is', () => {
  const found = { items: [{ phone: '1', name: 'Ann', more: { phone: '2', city: 'Bern' } }], count: 1 }
  expect(without(found, ['phone'])).toEqual({ items: [{ name: 'Ann', more: { city: 'Bern' } }], count: 1 })
  expect(without(found, [])).toBe(found)
})
