// What a visual is, and how one that was shown is read. Pure; the list of them is in visuals.ts.

import { type Block, inEnglish, type Say } from './blocks.ts'

export type JsonSchema = Readonly<Record<string, unknown>>

/** One that a person sees: what the turn keeps, and what the frame brings. The same id again is the same one, changed. */
export interface ShownVisual {
  readonly id: string
  /** Name of one of `visuals`. */
  readonly visual: string
  readonly data: Readonly<Record<string, unknown>>
}

export interface Visual {
  /** The model's tool is `show_` and this. */
  readonly name: string
  readonly title: string
  /** For the model: when to show it, in the imperative. */
  readonly description: string
  /** What the model gives. Where the gateway reads the rest from the tenant's records, `data` is more than that. */
  readonly schema: JsonSchema
  /** What is sent from it makes the agent's tool of this name run, with the visual's id as `form`, where the agent has it. */
  readonly submitTool?: string
  /** For the documentation, and for tests. */
  readonly example: ShownVisual['data']
  blocks(data: ShownVisual['data'], say: Say): readonly Block[]
}

interface Facts<D extends object> extends Omit<Visual, 'example' | 'blocks'> {
  readonly example: D
  readonly blocks: (data: D, say: Say) => readonly Block[]
}

export function visual<D extends object>({ example, blocks, ...facts }: Facts<D>): Visual {
  // The gateway lets no data out that does not fit its schema: what a client gets has the shape of the example.
  return {
    ...facts,
    example: Object.fromEntries(Object.entries(example)),
    blocks: (data, say) => blocks(data as D, say),
  }
}

/** Empty for one that this client does not know or cannot read: an older page, an older turn. */
export function blocksOf(shown: ShownVisual, among: readonly Visual[], say: Say = inEnglish): readonly Block[] {
  try {
    return among.find(({ name }) => name === shown.visual)?.blocks(shown.data, say) ?? []
  } catch {
    return []
  }
}

// What schemas are made of.

export const object = (properties: Readonly<Record<string, JsonSchema>>, required: readonly string[]): JsonSchema => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
})
export const words = (maxLength: number, description: string): JsonSchema => ({
  type: 'string',
  minLength: 1,
  maxLength,
  description,
})
export const address = (description: string): JsonSchema => ({
  ...words(2_000, description),
  pattern: '^https?://[^\\s<>"]+$',
})
export const listOf = (items: JsonSchema, maxItems: number): JsonSchema => ({
  type: 'array',
  items,
  minItems: 1,
  maxItems,
})
export const oneOf = (values: readonly string[], description: string): JsonSchema => ({
  type: 'string',
  enum: values,
  description,
})
export const minor = { type: 'integer', minimum: 0, maximum: 100_000_000_000 } as const
export const currency = { type: 'string', pattern: '^[A-Z]{3}$', description: 'ISO 4217, e.g. USD' } as const
/** More are for a page, not for a conversation. */
export const mostCards = 12
export const titleText = words(120, 'Heading above it')
