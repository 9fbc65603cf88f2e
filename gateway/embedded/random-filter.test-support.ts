// Seeded random documents, filters and sorts over mixed BSON types, drawn from small pools so that filters hit often.
import { Binary, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'bson'

type Fields = Record<string, unknown>
/** Returns a number in [0, 1). */
export type Random = () => number

/** Paths worth an index; at most one of the four root fields holds arrays in one document (no parallel arrays). */
export const RANDOM_PATHS = ['a', 'b', 'c', 'n', 'n.x', 'n.y', 'n.x.y'] as const

/** Deterministic generator (mulberry32): the same seed gives the same cases on every machine. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const NUMBERS = [0, 1, 2, 5, -1, 1.5, -2.5, 3e9, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
const LONGS = ['0', '1', '5', '3000000000', '9007199254740992', '9007199254740993', '-9223372036854775808']
const STRINGS = ['', 'a', 'ab', 'abc', 'b', 'B', 'a\0b', '\u{1f600}', '\uff5e', '1']
const OTHERS = [
  true,
  false,
  null,
  new Date(0),
  new Date(86_400_000),
  new Date(-1),
  new ObjectId('000000000000000000000001'),
  new ObjectId('ffffffffffffffffffffffff'),
  new Binary(Buffer.from('a')),
  new Binary(Buffer.from('ab'), 4),
  new Timestamp({ t: 1, i: 2 }),
  new MinKey(),
  new MaxKey(),
]
const PATTERNS = ['^a', '^ab', '^b', 'b', '^A', '^(a|b)', 'c$', '^a\\.?b', '^']
const TYPES = ['number', 'int', 'long', 'double', 'string', 'object', 'array', 'bool', 'date', 'null', 'objectId']
const RANGES = ['$gt', '$gte', '$lt', '$lte'] as const

function pick<T>(random: Random, pool: readonly T[]): T {
  const chosen = pool[Math.floor(random() * pool.length)]
  if (chosen === undefined) throw new RangeError('empty pool')
  return chosen
}
const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)
const chance = (random: Random, probability: number): boolean => random() < probability

/** One value of any type; `depth` bounds nesting, arrays appear only when `arrays` is set. */
export function randomValue(random: Random, depth = 2, arrays = true): unknown {
  const kind = random()
  if (kind < 0.3) return pick(random, NUMBERS)
  if (kind < 0.4) return Long.fromString(pick(random, LONGS))
  if (kind < 0.6) return pick(random, STRINGS)
  if (kind < 0.78 || depth === 0) return OTHERS[Math.floor(random() * OTHERS.length)]
  if (kind < 0.9 || !arrays) {
    const nested: Fields = {}
    for (const key of ['x', 'y']) if (chance(random, 0.6)) nested[key] = randomValue(random, depth - 1, arrays)
    return nested
  }
  return times(Math.floor(random() * 4), () => randomValue(random, depth - 1, arrays))
}

/** Documents with `_id` 0..count-1 and the root fields a, b, c, n, each missing now and then. */
export function randomDocuments(random: Random, count: number): Fields[] {
  return Array.from({ length: count }, (_, id) => {
    const doc: Fields = { _id: id }
    const arrayField = pick(random, ['a', 'b', 'c', 'n'])
    for (const field of ['a', 'b', 'c', 'n'])
      if (chance(random, 0.85)) doc[field] = randomValue(random, 2, field === arrayField)
    return doc
  })
}

function randomCondition(random: Random, depth: number): unknown {
  const choices: (() => unknown)[] = [
    () => randomValue(random),
    () => ({ $eq: randomValue(random) }),
    () => ({ $ne: randomValue(random) }),
    () => ({ [pick(random, RANGES)]: randomValue(random) }),
    () => ({ [pick(random, RANGES)]: pick(random, NUMBERS) }),
    () => ({ $gte: pick(random, STRINGS), $lt: pick(random, STRINGS) }),
    () => ({ $gt: pick(random, NUMBERS), $lte: pick(random, NUMBERS) }),
    () => ({ $in: times(1 + Math.floor(random() * 3), () => randomValue(random)) }),
    () => ({ $nin: times(1 + Math.floor(random() * 3), () => randomValue(random)) }),
    () => ({ $exists: chance(random, 0.5) }),
    () => ({ $type: pick(random, TYPES) }),
    () => ({ $regex: pick(random, PATTERNS), ...(chance(random, 0.2) ? { $options: 'i' } : {}) }),
    () => ({ $size: Math.floor(random() * 3) }),
    () => ({ $mod: [2, Math.floor(random() * 2)] }),
    () => ({ $all: times(1 + Math.floor(random() * 2), () => randomValue(random, 1)) }),
  ]
  if (depth > 0)
    choices.push(
      () => ({ $elemMatch: { [pick(random, RANGES)]: randomValue(random, 1) } }),
      () => ({ $elemMatch: { [pick(random, ['x', 'y'])]: randomCondition(random, depth - 1) } }),
      () => ({ $not: { [pick(random, [...RANGES, '$eq'])]: randomValue(random) } }),
    )
  return pick(random, choices)()
}

/** A valid filter: one to three conditions over RANDOM_PATHS, `depth` levels of $and/$or/$nor. */
export function randomFilter(random: Random, depth = 2): Fields {
  const filter: Fields = {}
  for (let left = 1 + Math.floor(random() * 3); left > 0; left--) {
    if (depth > 0 && chance(random, 0.2))
      filter[pick(random, ['$and', '$or', '$or', '$nor'])] = times(1 + Math.floor(random() * 3), () =>
        randomFilter(random, depth - 1),
      )
    else filter[pick(random, RANDOM_PATHS)] = randomCondition(random, 2)
  }
  return filter
}

/** A sort over one or two paths, closed by `_id` so that the expected order is total. */
export function randomSort(random: Random): Record<string, 1 | -1> {
  const sort: Record<string, 1 | -1> = {}
  for (let left = 1 + Math.floor(random() * 2); left > 0; left--)
    sort[pick(random, RANDOM_PATHS)] = chance(random, 0.5) ? 1 : -1
  sort._id = 1
  return sort
}
