// A tenant's own records: products, and a conference with its speakers and sessions. Owns what they look like and the
// questions that can be asked of them. Knows no agent and no tool.

import type { Db } from 'mongodb'
import type { z } from 'zod'
import type { Actor, AuthContext } from '../platform/access.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import { found, Problem } from '../platform/problem.ts'
import { type CallerProducts, type Catalogue, callerProducts } from './caller-products.ts'
import { type CallerRecords, callerRecords, entomb, type RecordsDeps } from './caller-records.ts'
import { type CallerTypes, callerTypes, finishRemoval, kindFor, type TypesDeps } from './caller-types.ts'
import {
  type EntityData,
  type EntityInput,
  type EntityType,
  type EventInfo,
  event,
  type ProductView,
  presentProduct,
  product,
  type Speaker,
  schemas,
  searchFields,
  session,
  slugSchema,
  speaker,
} from './entity.ts'
import { builtInKind } from './entity-kind.ts'
import { createLogKeeper, type LogKeeper } from './log-keeper.ts'
import type { EventSink } from './outbox.ts'
import {
  type ProductCriteria,
  type ProductQuery,
  type ProductStats,
  parseProductQuery,
  wordsOf,
} from './product-query.ts'
import { type ProgramItem, type ProgramQuery, parseTime, programOf } from './program.ts'
import { type Where, whereOf } from './record-query.ts'
import { openRecords } from './record-store.ts'
import { type CallerRelations, callerRelations, unlinkAll } from './relations.ts'
import { entityStore, migrateProductImages, type StoredEntity } from './store.ts'
import { ensureTemplates, type TemplateRecords, templateRecords } from './templates/template-records.ts'
import { personalTypes, type TemplateName } from './templates/templates.ts'
import { typeStore } from './type-store.ts'
import { type EntityRef, unseen } from './unseen.ts'

export type { EntityInput, EntityType, EventInfo, ProductView, Speaker } from './entity.ts'
export type { ProductQuery, ProductStats } from './product-query.ts'
export type { ProgramItem, ProgramQuery } from './program.ts'
export type { TemplateRecords } from './templates/template-records.ts'
export type { TemplateData, TemplateInput, TemplateName } from './templates/templates.ts'

export interface TenantEntities {
  /** `invalid` for a record out of shape; nothing is written then. Putting the same twice changes nothing. */
  put<T extends EntityType>(
    type: T,
    records: readonly { readonly slug: string; readonly data: EntityInput<T> }[],
  ): Promise<void>
  remove(type: EntityType, slug: string): Promise<boolean>
  /** Types, entities and relations as one caller may see and change them. */
  as(auth: AuthContext): CallerEntities
  /** Makes what entities of a type are found by anew. Returns how many there are. `not_found` */
  reindex(type: string): Promise<number>
  /** Installs the types of these templates where the tenant has none of that slug. */
  ensure(names: readonly TemplateName[]): Promise<void>
  /** Cheapest first. */
  products(query: ProductQuery, limit: number): Promise<readonly ProductView[]>
  stats(query: ProductQuery): Promise<ProductStats>
  /** The one that was there first: the program and the speakers are its. Others are asked for as records. */
  event(): Promise<(EventInfo & { readonly slug: string }) | undefined>
  speakers(name?: string): Promise<readonly (Speaker & { readonly slug: string })[]>
  /** In order of day and time. */
  program(query: ProgramQuery): Promise<readonly ProgramItem[]>
}

export interface CallerEntities extends CallerTypes, CallerRecords, CallerRelations, CallerProducts {
  /** Business records that the gateway knows the shape of: their type is installed when it is first needed. */
  template<T extends TemplateName>(name: T): TemplateRecords<T>
}

export interface Entities {
  of(tenantId: TenantId): TenantEntities
  /** Which of these the caller may not see, as `type/id`. What is no entity is not decided here. */
  unseen(auth: AuthContext, entities: readonly EntityRef[]): Promise<ReadonlySet<string>>
  /** Finishes changes that somebody died over: their events reach the log. Returns how many there were. */
  repair(): Promise<number>
  /** The conditions of a list from their JSON. `invalid` for anything else. */
  whereOf(text: string): Where
  /** `10:00`, `10am`, `2:30 pm` → minutes after midnight, as `ProgramQuery` takes them. */
  minutesOf(time: string): number | undefined
}

export const entityCollections: readonly CollectionSpec[] = [entityStore.spec, typeStore.spec]

export interface EntitiesDeps {
  readonly db: Db
  readonly clock?: Clock
  /** Where changes are told. It stands beside this slice: joined in slices.ts. */
  readonly events: EventSink
}

const gateway: Actor = { kind: 'system', id: 'system', name: 'Parley' }

/** Whether records of a type say in `contactId` which person they are about. */
export const isPersonalType = (type: string): boolean => personalTypes.has(type)

export function createEntities({ db, clock = systemClock, events }: EntitiesDeps): Entities {
  const store = entityStore.open(db)
  const parts = joined({ db, clock, events })
  const speakersOf = async (tenantId: TenantId) => readable(speaker, await store.all(tenantId, 'speaker'))
  const catalogueOf = (tenantId: TenantId): Catalogue => ({
    async products(query, limit, rows) {
      const products = readable(product, await store.products(tenantId, { criteria: criteriaOf(query), rows }, limit))
      return products.map(({ slug, data }) => presentProduct(slug, data))
    },
    stats: async (query, rows) => statsOf(await store.stats(tenantId, { criteria: criteriaOf(query), rows })),
  })
  return {
    minutesOf: parseTime,
    whereOf,
    unseen: (auth, refs) => unseen(parts, auth, refs),
    repair: () => parts.log.repair(),
    of: (tenantId) => ({
      as: (auth) => ({
        ...callerTypes(parts, tenantId, auth),
        ...callerRecords(parts, tenantId, auth),
        ...callerRelations(parts, tenantId, auth),
        ...callerProducts(auth, catalogueOf(tenantId)),
        template: (name) => templateRecords(parts, { tenantId, auth }, name),
      }),
      async reindex(type) {
        const kind = builtInKind(type) ?? found(await parts.types.find(tenantId, type)).kind
        return parts.records.reindex(tenantId, kind)
      },
      ensure: (names) => ensureTemplates(parts, tenantId, names),
      async put(type, records) {
        const kind = found(builtInKind(type))
        const entities = records.map((each) => stored(type, each))
        await parts.log.records(
          tenantId,
          await store.put(tenantId, kind, { type, entities, actor: gateway, nowMs: clock.now() }),
        )
      },
      async remove(type, slug) {
        const record = await parts.records.get(tenantId, type, { key: slug })
        return record !== undefined && entomb(parts, tenantId, { actor: gateway, record })
      },
      products: (query, limit) => catalogueOf(tenantId).products(query, limit, undefined),
      stats: (query) => catalogueOf(tenantId).stats(query, undefined),
      async event() {
        const [first] = readable(event, await store.first(tenantId, 'event'))
        return first === undefined ? undefined : { slug: first.slug, ...first.data }
      },
      async speakers(name) {
        const wanted = name?.trim().toLowerCase() ?? ''
        const all = (await speakersOf(tenantId)).map(({ slug, data }) => ({ slug, ...data }))
        return all.filter((each) => each.slug === wanted || each.name.toLowerCase().includes(wanted))
      },
      async program(query) {
        const [sessions, people] = await Promise.all([store.all(tenantId, 'session'), speakersOf(tenantId)])
        const known = new Map(people.map((each) => [each.slug, each.data]))
        return programOf(readable(session, sessions), known, query)
      },
    }),
  }
}

/** The parts need one another: a change needs the log, the log takes the links to what is gone, and that is a change. */
function joined({ db, clock, events }: Required<EntitiesDeps>): RecordsDeps & TypesDeps {
  const records = openRecords(db)
  const types = typeStore.open(db)
  const log: LogKeeper = createLogKeeper({
    ...{ records, types, events, clock },
    unlinkAll: (tenantId, gone) => unlinkAll(parts, tenantId, gone),
    finishRemoval: (tenantId, removal) => finishRemoval(parts, tenantId, removal),
  })
  const parts: RecordsDeps & TypesDeps = {
    ...{ records, types, log, clock },
    kindFor: (tenantId, auth, slug) => kindFor(types, tenantId, { auth, slug }),
  }
  return parts
}

/** Turns the images of every stored product, whatever their shape, into a list. Returns how many products changed. */
export function migrateImages(db: Db): Promise<number> {
  return migrateProductImages(db)
}

/** Text and explicit fields together: both must hold. */
export function criteriaOf(query: ProductQuery): ProductCriteria {
  const said = parseProductQuery(query.query ?? '')
  const colours = query.colour === undefined ? said.colours : wordsOf(query.colour)
  const floors = [said.minPriceCents, centsOf(query.minPrice)].filter((each) => each !== undefined)
  const ceilings = [said.maxPriceCents, centsOf(query.maxPrice)].filter((each) => each !== undefined)
  return {
    words: [...new Set([...said.words, ...wordsOf(query.category ?? '')])],
    colours,
    ...(floors.length === 0 ? {} : { minPriceCents: Math.max(...floors) }),
    ...(ceilings.length === 0 ? {} : { maxPriceCents: Math.min(...ceilings) }),
  }
}

const centsOf = (price: number | undefined) => (price === undefined ? undefined : Math.round(price * 100))

function statsOf(categories: Awaited<ReturnType<ReturnType<typeof entityStore.open>['stats']>>): ProductStats {
  const count = categories.reduce((sum, each) => sum + each.count, 0)
  const sumCents = categories.reduce((sum, each) => sum + each.sumCents, 0)
  return {
    count,
    minPrice: count === 0 ? null : Math.min(...categories.map((each) => each.minCents)) / 100,
    maxPrice: count === 0 ? null : Math.max(...categories.map((each) => each.maxCents)) / 100,
    avgPrice: count === 0 ? null : Math.round(sumCents / count) / 100,
    categories: categories.map((each) => ({
      category: each.category,
      count: each.count,
      minPrice: each.minCents / 100,
    })),
  }
}

function stored<T extends EntityType>(
  type: T,
  record: { readonly slug: string; readonly data: EntityInput<T> },
): StoredEntity {
  const slug = slugSchema.safeParse(record.slug)
  const data = schemas[type].safeParse(record.data)
  if (slug.success && data.success) {
    const item = type === 'product' ? product.parse(record.data) : undefined
    return { slug: slug.data, data: data.data, ...(item === undefined ? {} : { search: searchFields(item) }) }
  }
  const issues = [...(slug.error?.issues ?? []), ...(data.error?.issues ?? [])]
  throw new Problem('invalid', `The ${type} has a wrong value.`, {
    issues: issues.map((each) => ({ path: each.path.map(String).join('.'), message: each.message })),
  })
}

/** Documents of an older shape that no longer parse are left out rather than shown half. */
function readable<S extends z.ZodType<EntityData<EntityType>>>(
  schema: S,
  found: readonly StoredEntity[],
): { readonly slug: string; readonly data: z.output<S> }[] {
  return found.flatMap(({ slug, data }) => {
    const parsed = schema.safeParse(data)
    return parsed.success ? [{ slug, data: parsed.data }] : []
  })
}
