// zod schemas as JSON Schema, those with an id as components of the document.

import { z } from 'zod'

export type JsonSchema = Readonly<Record<string, unknown>>

/** Of one document: gives schemas, and keeps those that have a name. */
export class Components {
  readonly #named = new Map<string, JsonSchema>()

  /** `input`: as a client sends it. `output`: as it is sent to a client. */
  schema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
    const { $schema: _dialect, $defs, ...own } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
    const names = new Map<string, string>()
    const defs = Object.entries($defs ?? {})
    for (const [id] of defs) names.set(id, id)
    // What is sent and what is read may differ under one name.
    for (const [id, def] of defs) {
      const known = this.#named.get(id)
      if (known !== undefined && JSON.stringify(known) !== JSON.stringify(tidied(def, names)) && io === 'input')
        names.set(id, `${id}Input`)
    }
    for (const [id, def] of defs) this.#named.set(names.get(id) ?? id, record(tidied(def, names)))
    const { id: _id, ...rest } = record(tidied(own, names))
    return rest
  }

  /** In the order of their names. */
  all(): Readonly<Record<string, JsonSchema>> {
    return Object.fromEntries([...this.#named].sort(([a], [b]) => a.localeCompare(b)))
  }
}

function record(value: unknown): JsonSchema {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

/** References to components; without what only says that JavaScript has no larger integer, and without zod's own patterns. */
function tidied(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((each) => tidied(each, names))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([key, each]) => !isNoise(key, each, value))
  return Object.fromEntries(
    entries.map(([key, each]) => [key, key === '$ref' ? reference(String(each), names) : tidied(each, names)]),
  )
}

function isNoise(key: string, value: unknown, of: object): boolean {
  if (key === 'id' && 'type' in of) return typeof value === 'string' && /^[A-Z]/.test(value)
  if (key === 'pattern' && 'format' in of) return true
  if (key === 'propertyNames') return JSON.stringify(value) === '{"type":"string"}'
  return Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER && (key === 'maximum' || key === 'minimum')
}

function reference(ref: string, names: ReadonlyMap<string, string>): string {
  const id = ref.replace('#/$defs/', '')
  return `#/components/schemas/${names.get(id) ?? id}`
}
