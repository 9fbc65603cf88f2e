// Test double: a Db whose writes happen, but whose replies get lost when `lose` says so.

import { type Collection, type Db, MongoNetworkError } from 'mongodb'

const writes = ['updateOne', 'findOneAndUpdate', 'insertMany']

export function lossyDb(db: Db, lose: (operation: string) => boolean): Db {
  return new Proxy(db, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      if (name !== 'collection') return value.bind(target)
      return (...args: unknown[]) => lossyCollection(value.apply(target, args), lose)
    },
  })
}

function lossyCollection(collection: Collection, lose: (operation: string) => boolean): Collection {
  return new Proxy(collection, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      if (typeof name !== 'string' || !writes.includes(name)) return value.bind(target)
      return async (...args: unknown[]) => {
        const result: unknown = await value.apply(target, args)
        if (lose(name)) throw new MongoNetworkError('the reply was lost')
        return result
      }
    },
  })
}
