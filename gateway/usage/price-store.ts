// Collection `prices`: the gateway's own price book, the same for all tenants.

import { Long } from 'bson'
import type { Db } from 'mongodb'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { PriceSnapshot } from './bill.ts'
import { defaultModels, defaultPrices, type Price } from './prices.ts'

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
  /** Falls back to the engine's `*` row, then to the book's: every session has a price, not every one a known cost. */
  at(ask: {
    readonly engine: string
    readonly model: string | undefined
    readonly atMs: number
  }): Promise<PriceSnapshot>
}

export function openPrices(db: Db): PriceStore {
  const prices = db.collection<PriceDoc>(priceSpec.name, durable)
  let defaults: Promise<void> | undefined
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
  return {
    async at({ engine, model = defaultModels[engine] ?? '*', atMs }) {
      defaults ??= insertDefaults().catch((error: unknown) => {
        defaults = undefined
        throw error
      })
      await defaults
      const wanted: readonly (readonly [string, string])[] = [
        [engine, model],
        [engine, '*'],
        ['*', '*'],
      ]
      for (const [name, version] of wanted) {
        const filter = { engine: name, model: version, effectiveFrom: { $lte: new Date(atMs) } }
        const [doc] = await prices.find(filter).sort({ effectiveFrom: -1 }).limit(1).toArray()
        if (doc !== undefined) return toSnapshot(doc, engine)
      }
      throw new Error('the price book is empty')
    },
  }
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
