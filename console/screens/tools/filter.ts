// Which tools a list shows; the address says so.

import type { ToolView } from '../../../gateway/protocol/tools.ts'
import { categoryName, originOf } from './words.ts'

export type ToolFilter = {
  readonly q?: string | undefined
  readonly origin?: 'built-in' | 'own' | 'mcp' | undefined
  readonly effect?: 'reads' | 'changes' | undefined
  readonly category?: string | undefined
}

export function toolFilter(search: Record<string, unknown>): ToolFilter {
  const text = (name: string) => (typeof search[name] === 'string' && search[name] !== '' ? search[name] : undefined)
  const origin = (['built-in', 'own', 'mcp'] as const).find((each) => each === search.origin)
  const effect = (['reads', 'changes'] as const).find((each) => each === search.effect)
  const found = { q: text('q'), category: text('category'), origin, effect }
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined))
}

export function passes(tool: ToolView, { q, origin, effect, category }: ToolFilter): boolean {
  if (category !== undefined && tool.category !== category) return false
  if (effect !== undefined && tool.readOnly !== (effect === 'reads')) return false
  if (origin !== undefined && !comesFrom(tool, origin)) return false
  const text = `${tool.name} ${tool.description} ${categoryName(tool.category)}`.toLowerCase()
  return (q ?? '')
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}

function comesFrom(tool: ToolView, from: NonNullable<ToolFilter['origin']>): boolean {
  const origin = originOf(tool)
  return from === 'own' ? tool.own && origin !== 'mcp' : origin === from
}
