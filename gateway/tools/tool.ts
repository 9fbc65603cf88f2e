// What a tool is, wherever it comes from: built in, or a tenant's descriptor run by an executor. Pure.

import { z } from 'zod'
import type { AuthContext } from '../platform/access.ts'
import type { TenantId } from '../platform/ids.ts'
import type { Channel } from '../protocol/turn.ts'
import type { ShownVisual } from '../protocol/visuals/visual.ts'

export const toolCategories = [
  ...(['crm', 'bookings', 'invoices', 'products', 'forms', 'payments', 'workflows', 'sequences', 'media'] as const),
  ...(['email', 'events', 'data', 'records', 'knowledge', 'visuals', 'page', 'custom'] as const),
] as const
export type ToolCategory = (typeof toolCategories)[number]

/**
 * What a call is worth that was begun and never finished, because its process died. `again`: doing it twice harms nobody.
 * `keyed`: what it does is bound to the call's key, a second attempt gives the effect of the first. `unknown`: nobody tries
 * again, and the call is told as unknown.
 */
export const retryRules = ['again', 'keyed', 'unknown'] as const
export type RetryRule = (typeof retryRules)[number]

export type JsonObject = Readonly<Record<string, unknown>>

/** `items` may be cut from the end to fit the size cap; everything else is small. With `error` the call failed. */
export interface ToolResult extends JsonObject {
  readonly items?: readonly unknown[]
  readonly [shows]?: ShownVisual
}

/** Beside what the model reads: what the person sees. No JSON has such a name, so nothing from outside can show anything. */
export const shows = Symbol('shows')

/** One call, as the tool sees it. */
export interface ToolContext {
  readonly tenantId: TenantId
  readonly sessionId: string
  readonly callId: string
  readonly channel?: Channel
  readonly conversationId?: string
  /** Who is on the other side. Personal data of others is no argument of a model's. */
  readonly contactId?: string
  readonly agent: { readonly id: string; readonly name: string }
  /** Idempotency key: the same for every attempt of this call, and of no other call. 64 hex digits. */
  readonly key: string
  /** Whose rights the call has. */
  readonly auth: () => Promise<AuthContext>
  /** Aborted when the tool's time is over. */
  readonly signal: AbortSignal
}

/** What is known of a tool without its code. */
export interface ToolFacts {
  /** As models call it. */
  readonly name: string
  /** `category.name` of what is built in, or the executor's kind. */
  readonly kind: string
  readonly category: ToolCategory
  readonly description: string
  /** True: it changes nothing anywhere. */
  readonly readOnly: boolean
  readonly retry: RetryRule
  /** Micro-credits per call; null: as the tenant's prices say. */
  readonly creditCostMicro: number | null
  readonly timeoutMs: number
}

export type Prepared =
  | { readonly is: 'ready'; readonly args: JsonObject; readonly run: (context: ToolContext) => Promise<ToolResult> }
  | { readonly is: 'invalid'; readonly issues: readonly { readonly path: string; readonly message: string }[] }

export interface BuiltinTool extends ToolFacts {
  /** JSON Schema of the arguments, as engines want it. */
  readonly parameters: JsonObject
  /** Arguments come from a model and enter here. */
  prepare(args: unknown): Prepared
}

/** Runs descriptors of one kind. Their arguments fit `parameters` already. */
export interface Executor {
  readonly kind: string
  /** When a descriptor is saved; returns what is stored. Throws `invalid`. */
  check(spec: unknown, tenantId: TenantId, parameters: JsonObject): Promise<JsonObject> | JsonObject
  run(
    tool: Pick<ToolFacts, 'name'> & Partial<ToolFacts> & { readonly spec: JsonObject; readonly parameters: JsonObject },
    args: JsonObject,
    context: ToolContext,
  ): Promise<ToolResult>
}

/** The request left and its answer was lost: what it was to do may have happened. */
export class EffectUnknown extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'EffectUnknown'
  }
}

/** Beyond it the person has long stopped waiting. */
const defaultTimeoutMs = 10_000

type Given = Pick<ToolFacts, 'name' | 'kind' | 'category' | 'description' | 'readOnly'> &
  Partial<Pick<ToolFacts, 'retry' | 'creditCostMicro' | 'timeoutMs'>>

/** With what is usual for whatever was not said: what only reads may be done again, nothing else may. */
export function withDefaults(given: Given): ToolFacts {
  const { name, kind, category, description, readOnly } = given
  return {
    ...{ name, kind, category, description, readOnly },
    retry: given.retry ?? (readOnly ? 'again' : 'unknown'),
    creditCostMicro: given.creditCostMicro ?? null,
    timeoutMs: given.timeoutMs ?? defaultTimeoutMs,
  }
}

/** A tool in code. `schema` is what its arguments are checked by and what models are told. */
export function builtin<S extends z.ZodType<JsonObject>>(
  facts: Given,
  schema: S,
  run: (args: z.output<S>, context: ToolContext) => Promise<ToolResult>,
): BuiltinTool {
  const { $schema: _, ...parameters } = z.toJSONSchema(schema, { io: 'input' })
  return {
    ...withDefaults(facts),
    parameters,
    prepare(args) {
      const parsed = schema.safeParse(withoutNulls(args))
      if (parsed.success) return { is: 'ready', args: parsed.data, run: (context) => run(parsed.data, context) }
      const issues = parsed.error.issues.map(({ path, message }) => ({ path: path.map(String).join('.'), message }))
      return { is: 'invalid', issues }
    },
  }
}

/** Models fill optional fields with null. */
export function withoutNulls(args: unknown): unknown {
  if (typeof args !== 'object' || args === null || Array.isArray(args)) return args
  return Object.fromEntries(Object.entries(args).filter(([, value]) => value !== null))
}

export const listResult = (items: readonly unknown[]): ToolResult => ({ count: items.length, items })
