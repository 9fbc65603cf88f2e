// The kinds of tools: what each takes and does. Arguments come from a model and enter through the schema here.

import { z } from 'zod'
import type { Entities } from '../entities/entities.ts'
import type { Events } from '../events/events.ts'
import type { Knowledge } from '../knowledge/knowledge.ts'
import type { AuthContext } from '../platform/access.ts'
import type { TenantId } from '../platform/ids.ts'
import { Problem } from '../platform/problem.ts'

export interface KindDeps {
  readonly entities: Entities
  readonly events: Events
  readonly knowledge: Knowledge
}

/** `items` may be cut from the end to fit the size cap; everything else is small. */
export interface ToolResult extends Readonly<Record<string, unknown>> {
  readonly items?: readonly unknown[]
}

/** Models send prices as text now and then. */
const price = z.preprocess(
  (value) => (typeof value === 'string' && /^\$?\d+(\.\d+)?$/.test(value) ? Number(value.replace('$', '')) : value),
  z.number().min(0).max(1_000_000),
)
const name = z.string().max(80)
const limit = z.int().min(1).max(20)

const productFields = {
  query: z
    .string()
    .max(300)
    .describe('What the person is looking for, in their words, e.g. "red sofa under 500"')
    .optional(),
  colour: name.describe('A basic colour').optional(),
  category: name.describe('e.g. sofa, chair, table, lamp').optional(),
  minPrice: price.optional(),
  maxPrice: price.optional(),
}

export type ToolKind = (typeof toolKinds)[number]
export const toolKinds = [
  'products.search',
  'products.stats',
  'event.program',
  'event.speakers',
  'event.info',
  'knowledge.search',
  'entity.query',
  'entity.get',
  'event.query',
  'system.search',
] as const

/** On whose behalf a tool runs. */
export interface ToolScope {
  readonly tenantId: TenantId
  /** Asked for by kinds whose results depend on the caller. */
  readonly auth: () => Promise<AuthContext>
}

export type Prepared =
  | { readonly is: 'ready'; readonly run: (scope: ToolScope) => Promise<ToolResult> }
  | { readonly is: 'invalid'; readonly issues: readonly { readonly path: string; readonly message: string }[] }

interface Kind {
  /** JSON Schema of the arguments, as engines want it. */
  readonly parameters: Readonly<Record<string, unknown>>
  prepare(args: unknown): Prepared
}

export type Kinds = Readonly<Record<ToolKind, Kind>>

export function createKinds({ entities, events, knowledge }: KindDeps): Kinds {
  return {
    'products.search': kind(
      z.strictObject({ ...productFields, limit: limit.optional() }),
      async (tenantId, { limit: most, ...query }) => list(await entities.of(tenantId).products(query, most ?? 8)),
    ),
    'products.stats': kind(z.strictObject(productFields), async (tenantId, query) => ({
      ...(await entities.of(tenantId).stats(query)),
    })),
    'event.program': kind(program(entities), async (tenantId, { at, ...query }) =>
      list(await entities.of(tenantId).program({ ...query, atMinutes: at })),
    ),
    'event.speakers': kind(
      z.strictObject({ name: name.describe('Name or part of it').optional() }),
      async (tenantId, query) => list(await entities.of(tenantId).speakers(query.name)),
    ),
    'event.info': kind(z.strictObject({}), async (tenantId) => ({
      event: (await entities.of(tenantId).event()) ?? null,
    })),
    'knowledge.search': kind(
      z.strictObject({ query: z.string().min(1).max(300).describe('What to look up'), limit: limit.optional() }),
      async (tenantId, { query, limit: most }) => {
        const found = await knowledge.search(tenantId, query, most ?? 4)
        return list(found.map(({ title, text, kind: sort }) => ({ title, text, kind: sort })))
      },
    ),
    'system.search': kind(
      z.strictObject({ query: z.string().min(1).max(300).describe('What to look up, in English') }),
      async (_tenantId, { query }) => {
        const found = await knowledge.system.search(query, 2)
        return list(found.map(({ title, heading, text }) => ({ title, heading, text })))
      },
    ),
    ...recordKinds({ entities, events }),
  }
}

const entityType = name.describe('Slug of the entity type, e.g. product')
const whereText = z
  .string()
  .max(2_000)
  .describe('JSON of fields with a value, or with eq, ne, in, gt, gte, lt, lte: {"status":"open","price":{"lt":50}}')
const ofEvents = z.strictObject({
  type: name.describe('e.g. entity.created').optional(),
  entityType: entityType.optional(),
  entityId: name.optional(),
  limit: limit.optional(),
})

/** What is answered is what the caller may see: rows and masks are the records' own business. */
function recordKinds({ entities, events }: Pick<KindDeps, 'entities' | 'events'>) {
  return {
    'entity.query': kind(
      z.strictObject({
        type: entityType,
        query: z.string().max(300).describe('Words to be found in it').optional(),
        where: whereText.optional(),
        sort: name.describe('A field, with - in front for downwards').optional(),
        limit: limit.optional(),
      }),
      async (tenantId, { type, query, where, sort, limit: most }, auth) => {
        const mine = entities.of(tenantId).as(await auth())
        const asked = { q: query, where: where === undefined ? undefined : entities.whereOf(where), sort }
        const { items, next } = await mine.list(type, { ...asked, limit: most ?? 8 })
        return { ...list(items), ...(next === null ? {} : { more: true }) }
      },
    ),
    'entity.get': kind(
      z.strictObject({ type: entityType, id: name.describe('Id or slug') }),
      async (tenantId, { type, id }, auth) => {
        const mine = entities.of(tenantId).as(await auth())
        const [entity, { items }] = await Promise.all([mine.get(type, id), mine.relations(type, id, { limit: 20 })])
        return { entity, relations: items }
      },
    ),
    'event.query': kind(ofEvents, async (tenantId, { type, entityType: of, entityId, limit: most }, auth) => {
      const caller = await auth()
      if (!caller.may('events.read')) throw new Problem('forbidden')
      const entity = of === undefined ? undefined : { type: of, id: entityId }
      return list(
        (
          await events
            .of(tenantId)
            .as(caller)
            .list({ type, entity, limit: most ?? 8 })
        ).items,
      )
    }),
  }
}

function program(entities: Entities) {
  const at = z
    .string()
    .max(20)
    .describe('Local time of day, e.g. 10:00: what runs then')
    .transform((text, context) => {
      const minutes = entities.minutesOf(text)
      if (minutes !== undefined) return minutes
      context.addIssue({ code: 'custom', message: 'a time such as 10:00' })
      return z.NEVER
    })
  return z.strictObject({
    at: at.optional(),
    day: z.iso.date().describe('YYYY-MM-DD').optional(),
    track: name.optional(),
    speaker: name.describe('Name or part of it').optional(),
  })
}

const list = (items: readonly unknown[]): ToolResult => ({ count: items.length, items })

function kind<S extends z.ZodType>(
  schema: S,
  run: (tenantId: TenantId, args: z.output<S>, auth: ToolScope['auth']) => Promise<ToolResult>,
): Kind {
  const { $schema: _, ...parameters } = z.toJSONSchema(schema, { io: 'input' })
  return {
    parameters,
    prepare(args) {
      const parsed = schema.safeParse(withoutNulls(args))
      if (parsed.success) return { is: 'ready', run: ({ tenantId, auth }) => run(tenantId, parsed.data, auth) }
      const issues = parsed.error.issues.map(({ path, message }) => ({ path: path.map(String).join('.'), message }))
      return { is: 'invalid', issues }
    },
  }
}

/** Models fill optional fields with null. */
function withoutNulls(args: unknown): unknown {
  if (typeof args !== 'object' || args === null || Array.isArray(args)) return args
  return Object.fromEntries(Object.entries(args).filter(([, value]) => value !== null))
}
