// Test double: a Db whose `$$NOW` is what a test says, for reads and for the condition of a compare-and-swap.

import type { Collection, Db } from 'mongodb'

export function steppedDb(db: Db, now: () => Date): Db {
  return new Proxy(db, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      if (name !== 'collection') return value.bind(target)
      return (...args: unknown[]) => steppedCollection(value.apply(target, args), now)
    },
  })
}

function steppedCollection(collection: Collection, now: () => Date): Collection {
  const stepped = (doc: unknown) =>
    typeof doc === 'object' && doc !== null && 'now' in doc ? { ...doc, now: now() } : doc
  return new Proxy(collection, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      if (name === 'findOneAndUpdate')
        return (filter: unknown, ...rest: unknown[]) => value.call(target, dated(filter, now()), ...rest)
      if (name === 'findOne') return async (...args: unknown[]) => stepped(await value.apply(target, args))
      if (name !== 'aggregate') return value.bind(target)
      return async function* (...args: unknown[]) {
        for await (const doc of value.apply(target, args)) yield stepped(doc)
      }
    },
  })
}

function dated(filter: unknown, now: Date): unknown {
  if (filter === '$$NOW') return now
  if (Array.isArray(filter)) return filter.map((each: unknown) => dated(each, now))
  if (filter === null || typeof filter !== 'object' || Object.getPrototypeOf(filter) !== Object.prototype) return filter
  return Object.fromEntries(Object.entries(filter).map(([name, each]) => [name, dated(each, now)]))
}
