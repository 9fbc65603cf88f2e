// Documents as BSON bytes: stored and sent as they came, so that types survive.
import { deserialize, ObjectId, serialize } from 'bson'
import { type Doc, MongoErr } from './value.ts'

/** Mongo's limit for one document, and ours for one batch of a cursor. */
export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024

export const DECODING = { promoteLongs: false, bsonRegExp: true, validation: { utf8: false } } as const
export const decode = (bytes: Uint8Array): Doc => deserialize(bytes, DECODING)

export function toBson(doc: Doc): Buffer {
  const bytes = serialize(doc, { checkKeys: false, ignoreUndefined: true })
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** A document about to be inserted: with an `_id`, and that `_id` first, as Mongo stores it. */
export function forInsert(given: Uint8Array | Doc): { doc: Doc; raw: Buffer } {
  if (!(given instanceof Uint8Array)) {
    const doc = { _id: given._id ?? new ObjectId(), ...given }
    return { doc, raw: toBson(doc) }
  }
  if (given.length > MAX_DOCUMENT_BYTES) throw new MongoErr(10334, `BSONObj size: ${given.length} is invalid`)
  const decoded = decode(given)
  if (decoded._id !== undefined) return { doc: decoded, raw: withIdFirst(given, decoded) }
  const doc = { _id: new ObjectId(), ...decoded }
  return { doc, raw: toBson(doc) }
}

/** Drivers append a missing `_id`, so it is first or last: moving its bytes keeps the types of all other fields. */
function withIdFirst(given: Uint8Array, doc: Doc): Buffer {
  const raw = Buffer.from(given)
  if (raw.toString('latin1', 5, 9) === '_id\0') return raw
  const element = toBson({ _id: doc._id }).subarray(4, -1)
  const keys = Object.keys(doc)
  // JavaScript lists integer-like keys first; without any, the order of keys is the order of bytes.
  const ordered = !/^\d+$/.test(keys[0] ?? '')
  const start = raw.length - 1 - element.length
  if (ordered && keys.at(-1) === '_id' && raw.subarray(start, -1).equals(element))
    return Buffer.concat([raw.subarray(0, 4), element, raw.subarray(4, start), raw.subarray(-1)])
  return toBson({ _id: doc._id, ...doc })
}
