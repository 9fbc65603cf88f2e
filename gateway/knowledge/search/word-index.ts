// Passages found by their words (BM25): typos, plurals and beginnings of words included.

import MiniSearch from 'minisearch'
import { stem, stopWords } from './stop-words.ts'

export interface Worded {
  readonly key: string
  readonly title: string
  readonly text: string
}

export interface WordIndex {
  add(docs: readonly Worded[]): void
  remove(keys: Iterable<string>): void
  /** Keys and scores, best first; empty when no word fits. */
  search(text: string, limit: number): readonly { readonly key: string; readonly score: number }[]
}

export function createWordIndex(): WordIndex {
  const mini = new MiniSearch<Worded>({
    idField: 'key',
    fields: ['title', 'text'],
    // Letters, digits and apostrophes make a word; everything else parts them.
    tokenize: (text) => text.split(/[^\p{L}\p{N}'’]+/u).filter((word) => word !== ''),
    processTerm: (term) => {
      const word = term.toLowerCase()
      return stopWords.has(word.replace(/['’]/g, '')) ? null : stem(word)
    },
    searchOptions: {
      boost: { title: 3 },
      // Typos in longer words only: "pool" must not find "tool".
      fuzzy: (term) => (term.length > 5 ? 0.2 : false),
      prefix: (term) => term.length > 3,
    },
  })
  return {
    add: (docs) => mini.addAll(docs),
    remove: (keys) => mini.discardAll([...keys]),
    search: (text, limit) =>
      mini
        .search(text)
        .slice(0, limit)
        .map(({ id, score }) => ({ key: String(id), score })),
  }
}
