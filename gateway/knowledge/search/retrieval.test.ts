import { expect, test } from 'vitest'
import { passages, type Question, questions } from './retrieval.test-support.ts'
import { createTenantIndex } from './tenant-index.ts'
import { createWordIndex } from './word-index.ts'
import { loadWordVectors } from './word-vectors.ts'

const words = createWordIndex()
words.add(passages.map(({ id, title, text }) => ({ key: id, title, text })))
const hybrid = createTenantIndex(loadWordVectors())
hybrid.add(
  'all',
  passages.map(({ id, title, text }) => ({ key: id, kind: 'faq', title, text })),
)

const ways = {
  words: (text: string) => words.search(text, 10).map(({ key }) => key),
  hybrid: (text: string) => hybrid.search({ text, limit: 10 }).map(({ key }) => key),
}

function quality(way: keyof typeof ways, asked: readonly Question[]) {
  const ranks = asked.map(({ text, answer }) => ways[way](text).indexOf(answer))
  const share = (least: number) => ranks.filter((rank) => rank >= 0 && rank < least).length / ranks.length
  const mrr = ranks.reduce((sum, rank) => sum + (rank < 0 ? 0 : 1 / (rank + 1)), 0) / ranks.length
  return { first: share(1), three: share(3), mrr }
}

const shown = ({ first, three, mrr }: ReturnType<typeof quality>): string =>
  `first ${first.toFixed(2)}, in three ${three.toFixed(2)}, MRR ${mrr.toFixed(3)}`

test('[knowledge] searching by words and meaning answers more questions than by words alone, also of those held back', () => {
  for (const held of [false, true]) {
    const asked = questions.filter((each) => each.held === held)
    const [bm25, both] = [quality('words', asked), quality('hybrid', asked)]
    process.stdout.write(
      `${held ? 'held back' : 'looked at'} (${asked.length}): BM25 ${shown(bm25)} | hybrid ${shown(both)}\n`,
    )
    expect(both.mrr).toBeGreaterThan(bm25.mrr + 0.1)
    expect(both.three).toBeGreaterThan(bm25.three + 0.1)
  }
})

test('[knowledge] what was found by its very words is still first', () => {
  const asked = questions.filter(({ is }) => is === 'words')
  expect(quality('hybrid', asked).three).toBe(1)
  expect(quality('hybrid', asked).first).toBeGreaterThanOrEqual(0.75)
})

test('[knowledge] a question about nothing of it finds nothing', () => {
  for (const text of ['quantum chromodynamics', 'what is the', '', '!!!']) expect(ways.hybrid(text)).toEqual([])
})
