import { expect, test } from 'vitest'
import type { ToolView } from '../../../gateway/protocol/tools.ts'
import { passes, toolFilter } from './filter.ts'

const tool = (part: Partial<ToolView>): ToolView => ({
  ...{ name: 'create_contact', kind: 'crm.create_contact', category: 'crm', description: 'Adds a person.' },
  ...{ instructions: '', parameters: {}, readOnly: false, retry: 'keyed', creditCostMicro: null, timeoutMs: 10_000 },
  ...{ own: false, spec: {}, ...part },
})

test('words are found in name, description and category, all of them', () => {
  expect(passes(tool({}), { q: 'person CONTACTS' })).toBe(true)
  expect(passes(tool({}), { q: 'person invoice' })).toBe(false)
  expect(passes(tool({}), {})).toBe(true)
})

test('a server’s tools are not the tenant’s own, and a renamed one is', () => {
  const mcp = tool({ own: true, kind: 'mcp' })
  expect(passes(mcp, { origin: 'mcp' })).toBe(true)
  expect(passes(mcp, { origin: 'own' })).toBe(false)
  expect(passes(tool({ own: true }), { origin: 'own' })).toBe(true)
  expect(passes(tool({}), { origin: 'built-in', effect: 'reads' })).toBe(false)
})

test('an address that says nothing sensible filters nothing', () => {
  expect(toolFilter({ origin: 'mars', effect: 7, q: '', category: ['a'] })).toEqual({})
  expect(toolFilter({ origin: 'mcp', effect: 'reads', q: 'x' })).toEqual({ origin: 'mcp', effect: 'reads', q: 'x' })
})
