// What a server says of its tools, made fit to be kept and shown to a model; and what has changed since. Pure.

import { createHash } from 'node:crypto'
import { z } from 'zod'
import { compileSchema } from '../../platform/json-schema.ts'
import { schemaFormats } from '../registry.ts'
import type { JsonObject } from '../tool.ts'
import { toolNames } from './naming.ts'

/** One tool as its server described it last. */
export interface ListedTool {
  /** As the server calls it. */
  readonly remote: string
  /** As models call it. */
  readonly name: string
  readonly description: string
  readonly parameters: JsonObject
  /** The server's own word, which nobody relies on. */
  readonly readOnlyHint: boolean
  /** Of description and parameters: what a person accepted is known by it. */
  readonly hash: string
}

export interface ToolFilterRule {
  /** Names of the server. Left out: all. */
  readonly only?: readonly string[] | undefined
  readonly not?: readonly string[] | undefined
}

export const maxTools = 100
const descriptionChars = 4_000
const schemaBytes = 16 * 1024
const schemaDepth = 20

const wireTool = z.object({
  name: z.string().min(1).max(200),
  description: z.string().optional(),
  inputSchema: z.record(z.string(), z.unknown()),
  annotations: z
    .object({ readOnlyHint: z.boolean().optional().catch(undefined) })
    .optional()
    .catch(undefined),
})

export interface Listing {
  readonly tools: readonly ListedTool[]
  /** Names of tools that cannot be used, and why. */
  readonly leftOut: readonly { readonly tool: string; readonly why: string }[]
}

export function listingOf(server: string, said: readonly unknown[], filter: ToolFilterRule): Listing {
  const leftOut: { tool: string; why: string }[] = []
  const fit: z.output<typeof wireTool>[] = []
  for (const each of said) {
    const parsed = wireTool.safeParse(each)
    if (!parsed.success) {
      leftOut.push({ tool: nameOf(each), why: 'its description is not one of a tool' })
      continue
    }
    const { name, inputSchema } = parsed.data
    if (filter.only !== undefined && !filter.only.includes(name)) continue
    if (filter.not?.includes(name) === true) continue
    if (fit.some((other) => other.name === name)) continue
    const why = unfit(inputSchema)
    if (why !== undefined) leftOut.push({ tool: name, why })
    else if (fit.length >= maxTools)
      leftOut.push({ tool: name, why: `more than ${maxTools} tools: name those that are wanted` })
    else fit.push(parsed.data)
  }
  const names = toolNames(
    server,
    fit.map((each) => each.name),
  )
  const tools = fit.map((each) => listed(each, names.get(each.name) ?? each.name))
  return { tools, leftOut: leftOut.slice(0, maxTools) }
}

function listed(
  { name: remote, description = '', inputSchema, annotations }: z.output<typeof wireTool>,
  name: string,
): ListedTool {
  const told = { description: readable(description).slice(0, descriptionChars), parameters: plainSchema(inputSchema) }
  const hash = createHash('sha256')
    .update(JSON.stringify([remote, told.description, told.parameters]))
    .digest('hex')
  return { remote, name, ...told, readOnlyHint: annotations?.readOnlyHint === true, hash: hash.slice(0, 32) }
}

/**
 * Without what a person who looks at it does not see and a model reads all the same: control characters, zero-width and
 * direction marks, tags (U+E0000…), variation selectors.
 */
export function readable(text: string): string {
  return text.replaceAll(/\p{Cc}|\p{Cf}|\p{Variation_Selector}|[\u{E0000}-\u{E0FFF}]/gu, (each) =>
    each === '\n' || each === '\t' ? each : '',
  )
}

function unfit(schema: JsonObject): string | undefined {
  if (schema.type !== 'object') return 'its arguments are not an object'
  if (depthOf(schema) > schemaDepth) return 'the schema of its arguments is nested too deeply'
  if (Buffer.byteLength(JSON.stringify(schema)) > schemaBytes) return 'the schema of its arguments is too large'
  try {
    compileSchema(plainSchema(schema), schemaFormats)
    return undefined
  } catch {
    return 'the schema of its arguments is none, or points elsewhere'
  }
}

function depthOf(value: unknown, depth = 0): number {
  if (typeof value !== 'object' || value === null || depth > schemaDepth) return depth
  return Math.max(depth, ...Object.values(value).map((each) => depthOf(each, depth + 1)))
}

/** Patterns are the server's own business: a wicked one would keep our checker busy for minutes. Texts lose what is hidden. */
function plainSchema(schema: JsonObject): JsonObject {
  const { $schema: _, ...rest } = schema
  const text = JSON.stringify(rest, (key, value: unknown) => {
    if (key === 'pattern' && typeof value === 'string') return undefined
    if (key === 'patternProperties' || key === '__proto__') return undefined
    return typeof value === 'string' ? readable(value) : value
  })
  return z.record(z.string(), z.unknown()).parse(JSON.parse(text))
}

function nameOf(each: unknown): string {
  const name = typeof each === 'object' && each !== null && 'name' in each ? each.name : undefined
  return typeof name === 'string' ? readable(name).slice(0, 64) : '?'
}
