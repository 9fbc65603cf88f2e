// BSON value semantics: canonical order, equality, and keys whose byte order is that order.
import { Binary, BSONRegExp, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp, UUID } from 'bson'
import { CODES, MongoErr } from './mongo-error.ts'
import { compareNumbers, num, numericType } from './number.ts'

export { CODES, MongoErr, num }

export type Doc = Record<string, unknown>

/** Canonical type order; the numbers are stored as the first byte of every key and so must never change. */
export const RANK = {
  MIN: 1,
  UNDEF: 2,
  NULL: 7,
  NUM: 12,
  STR: 17,
  OBJ: 22,
  ARR: 27,
  BIN: 32,
  OID: 37,
  BOOL: 42,
  DATE: 47,
  TS: 49,
  RE: 52,
  MAX: 120,
} as const

/** By prototype and not by `_bsontype`, which a stored document may carry as an ordinary field. */
const RANK_OF_PROTOTYPE = new Map<unknown, number>([
  [null, RANK.OBJ],
  [Object.prototype, RANK.OBJ],
  [Array.prototype, RANK.ARR],
  [Date.prototype, RANK.DATE],
  [ObjectId.prototype, RANK.OID],
  [Long.prototype, RANK.NUM],
  [Int32.prototype, RANK.NUM],
  [Double.prototype, RANK.NUM],
  [Binary.prototype, RANK.BIN],
  [UUID.prototype, RANK.BIN],
  [Uint8Array.prototype, RANK.BIN],
  [Buffer.prototype, RANK.BIN],
  [Timestamp.prototype, RANK.TS],
  [BSONRegExp.prototype, RANK.RE],
  [RegExp.prototype, RANK.RE],
  [MinKey.prototype, RANK.MIN],
  [MaxKey.prototype, RANK.MAX],
])

/** Place of a value's type in BSON order; missing counts as null. Throws 238 for types kept out, such as Decimal128. */
export function rank(value: unknown): number {
  if (typeof value === 'string') return RANK.STR
  if (typeof value === 'number' || typeof value === 'bigint') return RANK.NUM
  if (typeof value === 'boolean') return RANK.BOOL
  if (value === undefined || value === null) return RANK.NULL
  const found = RANK_OF_PROTOTYPE.get(Object.getPrototypeOf(value))
  if (found !== undefined) return found
  throw new MongoErr(238, `${value.constructor.name} values are not supported by the embedded store`)
}
export const isPlain = (value: unknown): value is Doc =>
  typeof value === 'object' && value !== null && rank(value) === RANK.OBJ
export const isNumeric = (value: unknown): boolean => rank(value) === RANK.NUM

const TYPE_NAMES = new Map<number, string>([
  [RANK.MIN, 'minKey'],
  [RANK.NULL, 'null'],
  [RANK.STR, 'string'],
  [RANK.OBJ, 'object'],
  [RANK.ARR, 'array'],
  [RANK.BIN, 'binData'],
  [RANK.OID, 'objectId'],
  [RANK.BOOL, 'bool'],
  [RANK.DATE, 'date'],
  [RANK.TS, 'timestamp'],
  [RANK.RE, 'regex'],
  [RANK.MAX, 'maxKey'],
])

/** Mongo's alias of a value's type, as `$type` takes it; `missing` for undefined. */
export function typeName(value: unknown): string {
  if (value === undefined) return 'missing'
  return TYPE_NAMES.get(rank(value)) ?? numericType(value)
}

// UTF-8 byte order equals UTF-16 order unless surrogates are involved.
function compareStrings(a: string, b: string): number {
  if (a === b) return 0
  if (/[\ud800-\udfff]/.test(a + b)) return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return a < b ? -1 : 1
}

const regexText = (value: unknown): string => {
  if (value instanceof RegExp) return `${value.source}\0${value.flags}`
  return value instanceof BSONRegExp ? `${value.pattern}\0${value.options}` : ''
}

/** Types whose order is that of their bytes; 64-bit dates are signed, so their sign bit is flipped. */
function fixedBytes(value: unknown): Uint8Array {
  if (value instanceof ObjectId) return value.id
  if (value instanceof Binary || value instanceof Uint8Array) {
    const bytes = value instanceof Binary ? value.value() : value
    const head = Buffer.alloc(5)
    head.writeUInt32BE(bytes.length)
    head[4] = value instanceof Binary ? value.sub_type : 0
    return Buffer.concat([head, bytes])
  }
  const word = Buffer.alloc(8)
  if (value instanceof Date) word.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value.getTime()) + (1n << 63n)))
  else if (value instanceof Timestamp) word.writeBigUInt64BE(BigInt.asUintN(64, value.toBigInt()))
  return word
}

function compareArrays(a: unknown[], b: unknown[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const order = compare(a[i], b[i])
    if (order) return order
  }
  return a.length - b.length
}

/** Field by field: type, then name, then value. */
function compareDocuments(a: Doc, b: Doc): number {
  const left = Object.entries(a)
  const right = Object.entries(b)
  for (const [i, [key, value]] of left.entries()) {
    const other = right[i]
    if (!other) return 1
    const order = rank(value) - rank(other[1]) || compareStrings(key, other[0]) || compare(value, other[1])
    if (order) return order
  }
  return left.length - right.length
}

/** Negative, zero or positive, in MongoDB's order of mixed types; numbers compare by value across numeric types. */
export function compare(a: unknown, b: unknown): number {
  if (a === b) return 0
  const order = rank(a)
  const gap = order - rank(b)
  if (gap) return gap
  if (order === RANK.NUM) return compareNumbers(a, b)
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b)
  if (typeof a === 'boolean') return a ? 1 : -1
  if (a instanceof Date && b instanceof Date) return compareNumbers(a.getTime(), b.getTime())
  if (Array.isArray(a) && Array.isArray(b)) return compareArrays(a, b)
  if (isPlain(a) && isPlain(b)) return compareDocuments(a, b)
  if (order === RANK.RE) return compareStrings(regexText(a), regexText(b))
  return order === RANK.BIN || order === RANK.OID || order === RANK.TS
    ? Buffer.compare(fixedBytes(a), fixedBytes(b))
    : 0
}
/** Mongo equality: 5 equals Long 5, missing equals null, the order of fields counts. */
export const equal = (a: unknown, b: unknown): boolean => compare(a, b) === 0

/** Equality including the BSON type of numbers: whether a write changes anything. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => same(item, b[i]))
  if (isPlain(a)) {
    if (!isPlain(b)) return false
    const keys = Object.keys(a)
    const others = Object.keys(b)
    return keys.length === others.length && keys.every((key, i) => key === others[i] && same(a[key], b[key]))
  }
  return typeName(a) === typeName(b) && compare(a, b) === 0
}

/** Deep copy of documents and arrays; BSON leaf values are shared, nothing mutates them. */
export const clone = (doc: Doc): Doc =>
  // fromEntries defines own properties, so a field called __proto__ stays a field.
  Object.fromEntries(Object.entries(doc).map(([key, value]) => [key, cloneValue(value)]))
export function cloneValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(cloneValue)
  return isPlain(value) ? clone(value) : value
}

/** Growing byte buffer of one key. */
class KeyWriter {
  #bytes = Buffer.allocUnsafe(64)
  #length = 0

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + count))
    this.#bytes.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** Ends with 00; 00 and 01 inside become 01 01 and 01 02, so that no string's bytes begin another's. */
  string(value: string): void {
    this.append(Buffer.from(value.replaceAll('\x01', '\x01\x02').replaceAll('\0', '\x01\x01')))
    this.byte(0)
  }

  /** The nearest double, then how far an int64 beyond 2^53 lies from it (at most 512 either way). */
  number(value: unknown): void {
    this.#reserve(10)
    const word = this.#bytes.subarray(this.#length, this.#length + 10)
    this.#length += 10
    if (Number.isNaN(num(value))) {
      word.fill(0)
      return
    }
    const nearest = num(value) || 0
    word.writeDoubleBE(nearest)
    const flip = nearest < 0 ? [255, 255, 255, 255, 255, 255, 255, 255] : [128]
    for (const [i, mask] of flip.entries()) word[i] = (word[i] ?? 0) ^ mask
    const distance =
      value instanceof Long && !Number.isSafeInteger(nearest) ? Number(value.toBigInt() - BigInt(nearest)) : 0
    word.writeUInt16BE(0x8000 + distance, 8)
  }

  value(value: unknown): void {
    const order = rank(value)
    this.byte(order)
    if (order === RANK.NUM) this.number(value)
    else if (typeof value === 'string') this.string(value)
    else if (typeof value === 'boolean') this.byte(value ? 1 : 0)
    else if (order === RANK.RE) this.string(regexText(value))
    else if (Array.isArray(value)) {
      for (const item of value) this.value(item)
      this.byte(0)
    } else if (isPlain(value)) {
      for (const [key, item] of Object.entries(value)) {
        this.byte(rank(item))
        this.string(key)
        this.value(item)
      }
      this.byte(0)
    } else if (order !== RANK.NULL && order !== RANK.MIN && order !== RANK.MAX) this.append(fixedBytes(value))
  }

  done(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length))
  }
}

/** Key of a value: unsigned byte order of keys is `compare` order of values, and no key is a prefix of another. */
export function encode(value: unknown): Buffer {
  const writer = new KeyWriter()
  writer.value(value)
  return writer.done()
}
/** Key of an empty array at an indexed path: below null, equal to no value. */
export const UNDEF_KEY: Buffer = Buffer.from([RANK.UNDEF])
/** A key of the same length that sorts the other way, for descending index fields. */
export const invert = (key: Buffer): Buffer => Buffer.from(key.map((byte) => ~byte))
