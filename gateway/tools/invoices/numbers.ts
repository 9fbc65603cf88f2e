// Collection `number_series`: the highest number of a series that is known to have its document. Numbers have no gaps because the next
// one is tried only when there is a document of the one before: what a process that dies leaves behind is either a document, which
// has its number, or nothing, and then the number is the next one's.

import type { Collection, Db } from 'mongodb'
import { idOf, type TenantId } from '../../platform/ids.ts'
import { type CollectionSpec, durable } from '../../platform/mongo.ts'

interface SeriesDoc {
  readonly _id: string
  readonly tenantId: string
  readonly series: string
  readonly last: number
}

/**
 * `taken`: there is a document of that number, of somebody faster or of one who died behind it. `before`: it was written under
 * another number, by an attempt before.
 */
export type Written<T> =
  | { readonly is: 'written'; readonly value: T }
  | { readonly is: 'before'; readonly value: T }
  | { readonly is: 'taken' }

export interface Numbers {
  /** Calls `write` with number after number until one is not taken. `write` must not take a number that has a document. */
  next<T>(tenantId: TenantId, series: string, write: (number: number) => Promise<Written<T>>): Promise<T>
}

export const seriesStore = {
  spec: {
    name: 'number_series',
    indexes: [{ key: { tenantId: 1, series: 1 }, name: 'series', unique: true }],
  } satisfies CollectionSpec,
}

export function createNumbers(db: Db): Numbers {
  const collection: Collection<SeriesDoc> = db.collection('number_series', durable)
  return {
    async next(tenantId, series, write) {
      const of = { _id: idOf('ent', 'series', tenantId, series), tenantId }
      const last = async () => (await collection.findOne(of))?.last ?? 0
      for (let number = (await last()) + 1; ; number = Math.max(number, await last()) + 1) {
        const written = await write(number)
        if (written.is === 'taken') continue
        if (written.is === 'written')
          await collection.updateOne(of, { $max: { last: number }, $setOnInsert: { series } }, { upsert: true })
        return written.value
      }
    },
  }
}
