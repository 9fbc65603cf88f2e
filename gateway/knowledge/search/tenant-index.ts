// One tenant's passages, found by words and by nearness of meaning, both lists fused by rank. Pure but for the word vectors.

import { createWordIndex } from './word-index.ts'
import type { Vectorizer } from './word-vectors.ts'

/** What is found, and where it is from. */
export interface Passage {
  readonly key: string
  /** `faq`, `page`, … of a document; `source` of an uploaded one. */
  readonly kind: string
  readonly title: string
  readonly text: string
  readonly heading?: string
  readonly page?: number
  readonly sourceId?: string
  /** Name of the source. */
  readonly source?: string
  readonly url?: string
}

/** Of a model outside; passages of the same model can be compared. */
export interface ModelVector {
  readonly model: string
  readonly values: Float32Array
}

export interface Entry extends Passage {
  readonly vector?: ModelVector
}

export interface Query {
  readonly text: string
  readonly vector?: ModelVector | undefined
  readonly limit: number
}

export interface Hit extends Passage {
  /** Higher is nearer; only comparable within one answer. */
  readonly score: number
}

export interface TenantIndex {
  add(group: string, entries: readonly Entry[]): void
  remove(group: string): void
  search(query: Query): readonly Hit[]
}

/** Of each list. */
const candidates = 40
/** Reciprocal rank fusion: how little the first places are ahead. Chosen with the questions of retrieval.test-support.ts that are not held back. */
const rankOffset = 3
const meaningWeight = 1.5
/** Cosines below say nothing: of our word vectors, and of models outside. */
const leastNearness = 0.35
const leastModelNearness = 0.25

interface Held {
  readonly passage: Passage
  readonly near: Float32Array | undefined
  readonly vector: ModelVector | undefined
}

export function createTenantIndex(vectorizer: Vectorizer): TenantIndex {
  const words = createWordIndex()
  const groups = new Map<string, readonly string[]>()
  const all = new Map<string, Held>()

  function byMeaning({ text, vector: asked }: Query): readonly string[] {
    const near = vectorizer.vector(text)
    const found: { key: string; nearness: number }[] = []
    for (const [key, held] of all) {
      const isModels = asked !== undefined && held.vector?.model === asked.model
      const nearness = isModels ? dot(held.vector?.values, asked.values) : dot(held.near, near)
      // On one scale: how far above what says nothing.
      const least = isModels ? leastModelNearness : leastNearness
      if (nearness >= least) found.push({ key, nearness: (nearness - least) / (1 - least) })
    }
    found.sort((a, b) => b.nearness - a.nearness)
    return found.slice(0, candidates).map(({ key }) => key)
  }

  return {
    add(group, entries) {
      groups.set(group, [...(groups.get(group) ?? []), ...entries.map(({ key }) => key)])
      words.add(entries.map(({ key, title, heading, text }) => ({ key, title: titled(title, heading), text })))
      for (const { vector, ...passage } of entries) {
        const { title, heading, text } = passage
        all.set(passage.key, { passage, vector, near: vectorizer.vector(`${titled(title, heading)} ${text}`) })
      }
    },
    remove(group) {
      const keys = groups.get(group) ?? []
      words.remove(keys)
      for (const key of keys) all.delete(key)
      groups.delete(group)
    },
    search(query) {
      const fused = new Map<string, number>()
      const count = (keys: readonly string[], weight: number): void => {
        for (const [rank, key] of keys.entries()) fused.set(key, (fused.get(key) ?? 0) + weight / (rankOffset + rank))
      }
      count(
        words.search(query.text, candidates).map(({ key }) => key),
        1,
      )
      count(byMeaning(query), meaningWeight)
      const ranked = [...fused].toSorted(([, a], [, b]) => b - a).slice(0, query.limit)
      return ranked.flatMap(([key, score]) => {
        const held = all.get(key)
        return held === undefined ? [] : [{ ...held.passage, score }]
      })
    },
  }
}

const titled = (title: string, heading: string | undefined): string =>
  heading === undefined ? title : `${title} ${heading}`

function dot(a: Float32Array | undefined, b: Float32Array | undefined): number {
  if (a === undefined || b === undefined || a.length !== b.length) return 0
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}
