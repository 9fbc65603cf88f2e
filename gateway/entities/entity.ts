// The kinds of records a tenant's agents answer from, and how each is shown. Pure.

import { z } from 'zod'
import { imagesOf } from './images.ts'
import { wordsOf } from './product-query.ts'

const text = z.string().trim().min(1)
const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'HH:MM')
const day = z.iso.date()

export const product = z.strictObject({
  name: text.max(200),
  description: z.string().max(4_000).default(''),
  category: text.max(60),
  colours: z.array(text.max(40)).max(40).default([]),
  material: z.string().max(60).default(''),
  tags: z.array(text.max(40)).max(40).default([]),
  priceCents: z.int().min(0).max(100_000_000),
  currency: z.string().length(3).default('USD'),
  /** Any shape that was ever stored; kept as a plain list of addresses. */
  images: z.unknown().optional().transform(imagesOf),
  dimensions: z.string().max(120).default(''),
  inStock: z.boolean().default(true),
  /** How many there are; missing: nobody counts. For the tenant's own eyes: the catalogue that everybody reads has `inStock`. */
  stock: z.int().min(0).max(100_000_000).optional(),
  /** Stock keeping unit: the tenant's own number. */
  sku: z.string().max(60).optional(),
})
export type Product = z.output<typeof product>

export const event = z.strictObject({
  name: text.max(200),
  tagline: z.string().max(300).default(''),
  description: z.string().max(4_000).default(''),
  venue: text.max(200),
  address: z.string().max(300).default(''),
  city: text.max(100),
  startsOn: day,
  endsOn: day,
  /** Of the day it begins on, and of the one it ends on. */
  startsAt: time.optional(),
  endsAt: time.optional(),
  /** IANA name; the program's times are local to it. */
  timezone: text.max(60),
  tickets: z.string().max(1_000).default(''),
  website: z.string().max(200).default(''),
  /** Seats. Missing: as many as come. */
  capacity: z.int().min(1).max(10_000).optional(),
  /** Called off. */
  isCancelled: z.boolean().optional(),
})
export type EventInfo = z.output<typeof event>

export const speaker = z.strictObject({
  name: text.max(120),
  title: z.string().max(160).default(''),
  company: z.string().max(120).default(''),
  bio: z.string().max(2_000).default(''),
  topics: z.array(text.max(60)).max(20).default([]),
})
export type Speaker = z.output<typeof speaker>

export const session = z.strictObject({
  title: text.max(200),
  abstract: z.string().max(2_000).default(''),
  track: text.max(60),
  room: text.max(60),
  day,
  startsAt: time,
  endsAt: time,
  /** Slugs of speakers. */
  speakers: z.array(text.max(80)).max(10).default([]),
})
export type ConferenceSession = z.output<typeof session>

export const schemas = { product, event, speaker, session } as const
export type EntityType = keyof typeof schemas
export type EntityInput<T extends EntityType> = z.input<(typeof schemas)[T]>
export type EntityData<T extends EntityType> = z.output<(typeof schemas)[T]>

export const slugSchema = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,78}[a-z0-9])?$/)

/** What products are found by. Not the description: "goes well with our sofas" makes nothing a sofa. */
export function searchFields(item: Product): { words: string[]; colours: string[] } {
  return {
    words: wordsOf([item.name, item.category, item.material, ...item.tags].join(' ')),
    colours: wordsOf(item.colours.join(' ')),
  }
}

export interface ProductView {
  readonly slug: string
  readonly name: string
  readonly description: string
  readonly category: string
  readonly colours: readonly string[]
  readonly material: string
  /** In whole units of `currency`, two decimals at most. */
  readonly price: number
  readonly currency: string
  readonly images: readonly string[]
  readonly dimensions: string
  readonly inStock: boolean
}

export function presentProduct(slug: string, item: Product): ProductView {
  const { name, description, category, material, currency, dimensions, inStock } = item
  const price = item.priceCents / 100
  const images = imagesOf(item.images)
  return {
    slug,
    name,
    description,
    category,
    colours: item.colours,
    material,
    price,
    currency,
    images,
    dimensions,
    inStock,
  }
}
