// One tenant's documents, searchable. Pure: built from documents, never refreshed.

import MiniSearch from 'minisearch'
import type { KnowledgeDocument } from './store.ts'

export interface Finding {
  readonly title: string
  readonly text: string
  /** Higher is nearer; only comparable within one answer. */
  readonly score: number
  readonly kind: string
}

/** Words of questions that say nothing about the topic. */
const stopWords = new Set(
  (
    'a an and are as at be been but by can could did do does for from had has have how i if in into is it its just me my ' +
    'of on or our please shall should so some tell than that the their them then there these they this to us was we were ' +
    'what when where which who why will with would you your im ive whats know like want need about any am'
  ).split(' '),
)

export interface SearchIndex {
  search(text: string, limit: number): readonly Finding[]
}

/** Plural and possessive endings off, so that "refunds" finds "refund". */
function stem(word: string): string {
  const bare = word.replace(/['’]s?$/, '').replace(/['’]/g, '')
  if (bare.length > 4 && bare.endsWith('ies')) return `${bare.slice(0, -3)}y`
  if (bare.length > 3 && bare.endsWith('s') && !bare.endsWith('ss')) return bare.slice(0, -1)
  return bare
}

function processTerm(term: string): string | null {
  const word = term.toLowerCase()
  return stopWords.has(word.replace(/['’]/g, '')) ? null : stem(word)
}

export function buildIndex(docs: readonly KnowledgeDocument[]): SearchIndex {
  const byKey = new Map(docs.map((doc) => [doc.key, doc]))
  const mini = new MiniSearch<KnowledgeDocument>({
    idField: 'key',
    fields: ['title', 'text'],
    // Letters, digits and apostrophes make a word; everything else parts them.
    tokenize: (text) => text.split(/[^\p{L}\p{N}'’]+/u).filter((word) => word !== ''),
    processTerm,
    searchOptions: {
      boost: { title: 3 },
      // Typos in longer words only: "pool" must not find "tool".
      fuzzy: (term) => (term.length > 5 ? 0.2 : false),
      prefix: (term) => term.length > 3,
    },
  })
  mini.addAll(docs)
  return {
    search(text, limit) {
      const findings: Finding[] = []
      for (const hit of mini.search(text)) {
        const doc = byKey.get(String(hit.id))
        if (doc !== undefined) findings.push({ title: doc.title, text: doc.text, score: hit.score, kind: doc.kind })
        if (findings.length === limit) break
      }
      return findings
    },
  }
}
