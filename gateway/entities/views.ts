// What the public catalogue and conference answer with.

import { z } from 'zod'
import type { EntityTypeView } from '../protocol/records.ts'
import type { EventInfo, ProductStats, ProductView, ProgramItem, Speaker } from './entities.ts'

const price = z.number().describe('In whole units of the currency.')

const productView = z
  .strictObject({
    slug: z.string(),
    name: z.string(),
    description: z.string(),
    category: z.string(),
    colours: z.array(z.string()),
    material: z.string(),
    price,
    currency: z.string(),
    images: z.array(z.string()),
    dimensions: z.string(),
    inStock: z.boolean(),
  })
  .meta({ id: 'Product' }) satisfies z.ZodType<ProductView>

export const productsReply = z.strictObject({ items: z.array(productView) })

/** Without the fields that are masked from whoever asks. */
export const callerProductsReply = z.strictObject({ items: z.array(productView.partial()) })

export const productStatsReply = z
  .strictObject({
    count: z.number(),
    minPrice: price.nullable(),
    maxPrice: price.nullable(),
    avgPrice: price.nullable(),
    categories: z.array(z.strictObject({ category: z.string(), count: z.number(), minPrice: price })),
  })
  .meta({ id: 'ProductStats' }) satisfies z.ZodType<ProductStats>

export const conferenceReply = z
  .strictObject({
    slug: z.string(),
    name: z.string(),
    tagline: z.string(),
    description: z.string(),
    venue: z.string(),
    address: z.string(),
    city: z.string(),
    startsOn: z.iso.date(),
    endsOn: z.iso.date(),
    timezone: z.string(),
    tickets: z.string(),
    website: z.string(),
  })
  .meta({ id: 'Conference' }) satisfies z.ZodType<EventInfo & { readonly slug: string }>

const speakerView = z
  .strictObject({
    slug: z.string(),
    name: z.string(),
    title: z.string(),
    company: z.string(),
    bio: z.string(),
    topics: z.array(z.string()),
  })
  .meta({ id: 'Speaker' }) satisfies z.ZodType<Speaker & { readonly slug: string }>

export const speakersReply = z.strictObject({ items: z.array(speakerView) })

const programItem = z
  .strictObject({
    slug: z.string(),
    title: z.string(),
    abstract: z.string(),
    track: z.string(),
    room: z.string(),
    day: z.iso.date(),
    startsAt: z.string(),
    endsAt: z.string(),
    speakers: z.array(z.strictObject({ slug: z.string(), name: z.string(), company: z.string() })),
  })
  .meta({ id: 'ProgramItem' }) satisfies z.ZodType<ProgramItem>

export const programReply = z.strictObject({ items: z.array(programItem) })

export const entityTypeView = z
  .strictObject({
    id: z.string(),
    slug: z.string(),
    name: z.string(),
    description: z.string(),
    schema: z.record(z.string(), z.unknown()).describe('JSON Schema of the data of an entity.'),
    searchFields: z.array(z.string()).nullable().describe('What a search looks at; null: every text.'),
    titleField: z.string().nullable(),
    builtIn: z.boolean(),
    version: z.int(),
    createdAt: z.iso.datetime().nullable(),
    updatedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'EntityType' }) satisfies z.ZodType<EntityTypeView>

/** A mask may leave any field out. */
export const entityView = z
  .strictObject({
    id: z.string(),
    type: z.string(),
    slug: z.string(),
    title: z.string().nullable(),
    data: z.record(z.string(), z.unknown()),
    rev: z.int(),
    createdBy: z.string().nullable(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .partial()
  .meta({ id: 'Entity' })

export const relationView = z
  .strictObject({
    relation: z.string(),
    direction: z.enum(['out', 'in']),
    entity: z.strictObject({
      id: z.string(),
      type: z.string(),
      slug: z.string().exactOptional(),
      title: z.string().nullable().exactOptional(),
    }),
  })
  .meta({ id: 'Relation' })
