// The built-in notion of nearness: 30,000 frequent English words as vectors, a text as their weighted sum. No network, no
// key, a tenth of a millisecond per passage. Words it does not know are placed by their letters: equal or nearly equal
// spelling is near, meaning is not known. Where words.{txt,bin} come from: scripts/word-vectors.ts.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stopWords } from './stop-words.ts'

export const wordDimensions = 100

/** A word that makes up this share of all text weighs half (Arora 2017: 1e-3 … 1e-4). */
const halfWeight = 1e-3
/** Of Zipf's law over the 341,479 words of the list. */
const zipfSum = 13.3
/** Against a known word: a name says what a text is about, but nothing about its other words. */
const spellingWeight = 0.6

export interface Vectorizer {
  /** Of length 1; undefined where no word says anything. */
  vector(text: string): Float32Array | undefined
}

interface Known {
  readonly at: number
  readonly weight: number
}

/** Reads 3.4 MB; takes some 30 ms. */
export function loadWordVectors(): Vectorizer {
  const folder = import.meta.dirname
  const bytes = readFileSync(join(folder, 'words.bin'))
  const table = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const known = new Map<string, Known>()
  for (const [at, line] of readFileSync(join(folder, 'words.txt'), 'utf8').split('\n').entries()) {
    const [word = '', rank] = line.split(' ')
    const share = 1 / (zipfSum * (Number(rank) + 1))
    known.set(word, { at: at * wordDimensions, weight: halfWeight / (halfWeight + share) })
  }
  const place = (word: string): Known | undefined => known.get(word) ?? known.get(singular(word))

  return {
    vector(text) {
      const sum = new Float32Array(wordDimensions)
      let words = 0
      for (const [word, times] of counted(text)) {
        const found = place(word)
        // Said ten times, a word is not ten times as important.
        const often = 1 + Math.log(times)
        if (found !== undefined) addRow(sum, table, { at: found.at, weight: found.weight * often })
        else addSpelling(sum, word, spellingWeight * often)
        words++
      }
      return words === 0 ? undefined : normalised(sum)
    },
  }
}

function counted(text: string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const [part] of text.toLowerCase().matchAll(/[\p{L}\p{N}'’]+/gu)) {
    const word = part.replace(/['’](s|re|ve|ll|d|m|t)?/g, '')
    if (word.length > 1 && !stopWords.has(word)) counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  return counts
}

function singular(word: string): string {
  if (word.endsWith('ies')) return `${word.slice(0, -3)}y`
  return word.endsWith('s') ? word.slice(0, -1) : word
}

function addRow(sum: Float32Array, table: Int8Array, { at, weight }: Known): void {
  let squares = 0
  for (let i = 0; i < wordDimensions; i++) squares += (table[at + i] ?? 0) ** 2
  const scale = weight / Math.sqrt(squares)
  for (let i = 0; i < wordDimensions; i++) sum[i] = (sum[i] ?? 0) + (table[at + i] ?? 0) * scale
}

/** Each run of three letters has a direction of its own, drawn from its hash. */
function addSpelling(sum: Float32Array, word: string, weight: number): void {
  const marked = `<${word}>`
  const parts = Math.max(1, marked.length - 2)
  const scale = weight / Math.sqrt(parts * wordDimensions)
  for (let start = 0; start < parts; start++) {
    let state = hash(marked.slice(start, start + 3))
    for (let i = 0; i < wordDimensions; i++) {
      state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9
      sum[i] = (sum[i] ?? 0) + (state & 0x10000 ? scale : -scale)
    }
  }
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return value
}

export function normalised<B extends ArrayBufferLike>(vector: Float32Array<B>): Float32Array<ArrayBuffer> {
  let squares = 0
  for (const each of vector) squares += each * each
  const scale = squares === 0 ? 0 : 1 / Math.sqrt(squares)
  return vector.map((each) => each * scale)
}
