// Tools in words: where one comes from, what it does to the world, what it costs.

import type { ToolView } from '../../../gateway/protocol/tools.ts'
import { credits } from '../../ui/format.ts'
import { type Tone, unknownWord } from '../../ui/words.ts'

const categoryNames: Readonly<Record<string, string>> = {
  crm: 'Contacts & deals',
  bookings: 'Bookings',
  invoices: 'Invoices',
  products: 'Products',
  forms: 'Forms',
  payments: 'Payments',
  workflows: 'Workflows',
  sequences: 'E-mail sequences',
  media: 'Media',
  email: 'E-mail',
  events: 'Events',
  data: 'Data',
  records: 'Records',
  knowledge: 'Knowledge',
  visuals: 'Visuals',
  page: 'Page actions',
  custom: 'Your own',
}

export const categories = Object.keys(categoryNames)

export function categoryName(category: string): string {
  return categoryNames[category] ?? unknownWord(category)
}

export type Origin = 'built-in' | 'http' | 'mcp' | 'code' | 'own'

const originNames: Readonly<Record<Origin, string>> = {
  'built-in': 'Built in',
  http: 'HTTP',
  mcp: 'MCP server',
  code: 'Your code',
  own: 'Built in, renamed',
}

export function originOf({ own, kind }: Pick<ToolView, 'own' | 'kind'>): Origin {
  if (!own) return 'built-in'
  return kind === 'http' || kind === 'mcp' || kind === 'code' ? kind : 'own'
}

export function originName(tool: Pick<ToolView, 'own' | 'kind'>): string {
  return originNames[originOf(tool)]
}

export function effectWords({ readOnly }: Pick<ToolView, 'readOnly'>): { readonly text: string; readonly tone: Tone } {
  return readOnly ? { text: 'Looks up', tone: 'neutral' } : { text: 'Changes', tone: 'tool' }
}

export function costWords({ creditCostMicro }: Pick<ToolView, 'creditCostMicro'>): string {
  if (creditCostMicro === null) return 'as priced'
  return creditCostMicro === 0 ? 'free' : credits(creditCostMicro)
}

export const retryWords: Readonly<Record<string, string>> = {
  again: 'is simply done again: doing it twice harms nobody.',
  keyed: 'is tried again with the same key: the second attempt gives the first one’s effect.',
  unknown: 'is told as unknown, and nobody tries again.',
}
