// Every query of a store, as the driver really sends it: which of them would read a whole collection?

import type { Db, Document } from 'mongodb'

interface Query {
  readonly collection: string
  readonly filter: Document
  readonly sort: Document | undefined
}

/** Filters of finds, counts, updates and deletes; the first `$match` of aggregations. */
function queriesOf(name: string, command: Document): Query[] {
  const of = (filter: Document, sort?: Document): Query => ({
    collection: command[name],
    filter,
    // The driver sends a Map, to keep the order.
    sort: sort instanceof Map ? Object.fromEntries(sort) : sort,
  })
  if (name === 'find') return [of(command.filter ?? {}, command.sort)]
  if (name === 'aggregate') return [of(command.pipeline[0]?.$match ?? {})]
  if (name === 'update') return command.updates.map((each: Document) => of(each.q))
  if (name === 'delete') return command.deletes.map((each: Document) => of(each.q))
  if (name === 'findAndModify') return [of(command.query, command.sort)]
  return []
}

const stages = (plan: Document): string[] => [
  ...(typeof plan.stage === 'string' ? [plan.stage] : []),
  ...Object.values(plan).flatMap((each) => (typeof each === 'object' && each !== null ? stages(each) : [])),
]

export class QueryWatch {
  readonly #queries = new Map<string, Query>()

  get seen(): number {
    return this.#queries.size
  }

  readonly onCommand = (name: string, command: Document): void => {
    for (const query of queriesOf(name, command)) {
      const shape = JSON.stringify([query.collection, Object.keys(query.filter), query.sort])
      if (!this.#queries.has(shape)) this.#queries.set(shape, query)
    }
  }

  /** The queries among those seen that no index serves, in a collection of these. */
  async scans(db: Db, collections: readonly string[]): Promise<string[]> {
    const scans: string[] = []
    for (const { collection, filter, sort } of this.#queries.values()) {
      if (!collections.includes(collection)) continue
      const cursor = db.collection(collection).find(filter)
      const plan = await (sort === undefined ? cursor : cursor.sort(sort)).explain('queryPlanner')
      const found = stages(plan.queryPlanner)
      if (found.length === 0 || found.includes('COLLSCAN') || found.includes('SORT'))
        scans.push(`${collection} ${JSON.stringify(filter)} ${JSON.stringify(sort)}: ${found.join(', ')}`)
    }
    return scans
  }
}
