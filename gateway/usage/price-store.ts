// Collection `prices`: the gateway's own price book, the same for all tenants.

import { Long } from 'bson'
import type { Db } from 'mongodb'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { PriceSnapshot } from './bill.ts'
import { actionsRow, defaultModels, defaultPrices, type Price } from './prices.ts'

interface PriceDoc {
  _id: string
  engine: string
  model: string
  effectiveFrom: Date
  secondMicro: number
  holdSecondMicro: number
  /** Null where the provider's price is unknown; `creditMicro` null where nothing is charged for the meter. */
  meters: { meter: string; creditMicroPerMillion: number | null; costUsdMicroPerMillion: number | null }[]
  costKnown: boolean
}

export const priceSpec: CollectionSpec = {
  name: 'prices',
  indexes: [{ key: { engine: 1, model: 1, effectiveFrom: -1 }, name: 'current' }],
}

export interface PriceStore {
  /**
   * Falls back to the engine's `*` row, then to the book's: every session has a price, not every one a known cost. Prices
   * of tool calls come from the row of actions, unless the engine's row has its own.
   */
  at(ask: PriceAsk): Promise<PriceSnapshot>
  /** What is charged by the piece. */
  actions(atMs: number): Promise<PriceSnapshot>
}

export interface PriceAsk {
  readonly engine: string
  readonly model: string | undefined
  readonly atMs: number
}

/** An edit is in force within this; a burst of sessions reads the book once. */
const keptMs = 2_000
const maxKept = 500

export function openPrices(db: Db): PriceStore {
  const prices = db.collection<PriceDoc>(priceSpec.name, durable)
  let defaults: Promise<void> | undefined
  const kept = new Map<string, { readonly atMs: number; readonly price: Promise<PriceSnapshot> }>()
  const insertDefaults = async () => {
    try {
      await db
        .collection<{ _id: string }>(priceSpec.name, durable)
        .bulkWrite(defaultPrices.map(insertion), { ordered: false })
    } catch (error) {
      // Another process inserted the same rows at the same time.
      if (!(error instanceof Error && 'code' in error && error.code === duplicateKey)) throw error
    }
  }
  const read = async (engine: string, model: string, atMs: number): Promise<PriceSnapshot> => {
    defaults ??= insertDefaults().catch((error: unknown) => {
      defaults = undefined
      throw error
    })
    await defaults
    const engines = { $in: [...new Set([engine, '*', actionsRow.engine])] }
    const models = { $in: [...new Set([model, '*'])] }
    const effectiveFrom = { $lte: new Date(atMs) }
    return choose(await prices.find({ engine: engines, model: models, effectiveFrom }).toArray(), engine, model)
  }
  const at = ({ engine, model = defaultModels[engine] ?? '*', atMs }: PriceAsk): Promise<PriceSnapshot> => {
    const key = JSON.stringify([engine, model])
    const known = kept.get(key)
    if (known !== undefined && Math.abs(atMs - known.atMs) < keptMs) return known.price
    if (kept.size >= maxKept) kept.clear()
    const price = read(engine, model, atMs)
    kept.set(key, { atMs, price })
    price.catch(() => kept.delete(key))
    return price
  }
  return { at, actions: (atMs) => at({ ...actionsRow, atMs }) }
}

function choose(docs: readonly PriceDoc[], engine: string, model: string): PriceSnapshot {
  const newest = (name: string, version: string) =>
    docs
      .filter((doc) => doc.engine === name && doc.model === version)
      .reduce<PriceDoc | undefined>(
        (best, doc) => (best === undefined || doc.effectiveFrom > best.effectiveFrom ? doc : best),
        undefined,
      )
  const own = newest(engine, model) ?? newest(engine, '*') ?? newest('*', '*')
  if (own === undefined) throw new Error('the price book is empty')
  const snapshot = toSnapshot(own, engine)
  const actions = newest(actionsRow.engine, actionsRow.model)
  if (actions === undefined || own === actions) return snapshot
  const pieces = Object.entries(toSnapshot(actions, engine).meterMicroPerMillion)
  const tools = Object.fromEntries(pieces.filter(([meter]) => meter.startsWith('tool.')))
  return { ...snapshot, meterMicroPerMillion: { ...tools, ...snapshot.meterMicroPerMillion } }
}

const duplicateKey = 11000

/** Inserts a default row unless it is there. */
function insertion(price: Price) {
  const { _id, ...fields } = toDoc(price)
  const micro = {
    secondMicro: Long.fromNumber(price.secondMicro),
    holdSecondMicro: Long.fromNumber(price.holdSecondMicro),
  }
  return { updateOne: { filter: { _id }, update: { $setOnInsert: { ...fields, ...micro } }, upsert: true } }
}

function toDoc(price: Price): PriceDoc {
  const names = new Set([
    ...Object.keys(price.meterMicroPerMillion),
    ...Object.keys(price.costUsdMicroPerMillion ?? {}),
  ])
  return {
    _id: `${price.engine}/${price.model}@${price.effectiveFrom}`,
    engine: price.engine,
    model: price.model,
    effectiveFrom: new Date(price.effectiveFrom),
    secondMicro: price.secondMicro,
    holdSecondMicro: price.holdSecondMicro,
    meters: [...names].map((meter) => ({
      meter,
      creditMicroPerMillion: price.meterMicroPerMillion[meter] ?? null,
      costUsdMicroPerMillion: price.costUsdMicroPerMillion?.[meter] ?? null,
    })),
    costKnown: price.costUsdMicroPerMillion !== null,
  }
}

function toSnapshot(doc: PriceDoc, engine: string): PriceSnapshot {
  const credits: Record<string, number> = {}
  const costs: Record<string, number> = {}
  for (const { meter, creditMicroPerMillion, costUsdMicroPerMillion } of doc.meters) {
    if (creditMicroPerMillion !== null) credits[meter] = creditMicroPerMillion
    if (costUsdMicroPerMillion !== null) costs[meter] = costUsdMicroPerMillion
  }
  return {
    id: doc._id,
    engine,
    secondMicro: doc.secondMicro,
    meterMicroPerMillion: credits,
    costUsdMicroPerMillion: doc.costKnown ? costs : null,
    holdSecondMicro: doc.holdSecondMicro,
  }
}
