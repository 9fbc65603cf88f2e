import { expect, test } from 'vitest'
import { verdictOn } from './verdict.ts'

const write = { name: 'send_email', category: 'email', readOnly: false }
const read = { name: 'search_contacts', category: 'crm', readOnly: true }
const config = { autonomyLevel: 'autonomous' as const, requireApprovalFor: [], disabledTools: [] }

test('levels and lists decide as the gateway does', () => {
  expect(verdictOn(config, write)).toBe('runs')
  expect(verdictOn({ ...config, requireApprovalFor: ['send_email'] }, write)).toBe('asks')
  expect(verdictOn({ ...config, autonomyLevel: 'supervised' }, read)).toBe('asks')
  expect(verdictOn({ ...config, autonomyLevel: 'supervised' }, { ...read, category: 'visuals' })).toBe('runs')
  expect(verdictOn({ ...config, autonomyLevel: 'draft_only' }, write)).toBe('refused')
  expect(verdictOn({ ...config, autonomyLevel: 'draft_only' }, read)).toBe('runs')
  expect(verdictOn({ ...config, disabledTools: ['send_email'] }, write)).toBe('off')
})
