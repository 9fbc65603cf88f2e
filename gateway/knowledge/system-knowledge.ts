// Our own papers on marketing, sales and strategy, the same for every tenant: found by a question, passage by passage.
// Nothing of a tenant's is in them. Read and indexed when the first question comes.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SystemDocumentDetail, SystemDocumentView } from '../protocol/agents.ts'
import { createWordIndex, type WordIndex } from './search/word-index.ts'
import { type SystemDocument, systemDocuments } from './system/registry.ts'

export interface SystemPassage {
  /** Of the document. */
  readonly slug: string
  readonly title: string
  readonly heading: string
  /** Markdown. */
  readonly text: string
}

export interface SystemKnowledge {
  list(): readonly SystemDocumentView[]
  document(slug: string): Promise<SystemDocumentDetail | undefined>
  /** Best first; by any word of the question. */
  search(text: string, limit: number): Promise<readonly SystemPassage[]>
  /** What belongs into the prompt of a written message; undefined for one that is about something else. */
  systemFor(text: string): Promise<string | undefined>
}

const folder = join(import.meta.dirname, 'system')
const queryChars = 500
/** Of one prompt: two passages of the document that the question is about. */
const passagesInPrompt = 2
/** Lists of books answer nothing. */
const notForPrompts = new Set(['Sources', 'In a conversation'])

export function createSystemKnowledge(): SystemKnowledge {
  const texts = new Map<string, Promise<string>>()
  const textOf = (document: SystemDocument): Promise<string> => {
    const known = texts.get(document.slug)
    if (known !== undefined) return known
    const read = readFile(join(folder, document.file), 'utf8')
    texts.set(document.slug, read)
    read.catch(() => texts.delete(document.slug))
    return read
  }
  let indexed: ReturnType<typeof indexOf> | undefined
  const index = async (): ReturnType<typeof indexOf> => {
    indexed ??= indexOf(textOf)
    indexed.catch(() => {
      indexed = undefined
    })
    return indexed
  }
  const search = async (text: string, limit: number, only?: string): Promise<readonly SystemPassage[]> => {
    const { passages, found } = await index()
    const hits = found.search(text.slice(0, queryChars), passages.size)
    const all = hits.flatMap((hit) => passages.get(hit.key) ?? [])
    return all.filter((each) => only === undefined || each.slug === only).slice(0, limit)
  }
  return {
    list: () => systemDocuments.map(viewOf),
    async document(slug) {
      const document = systemDocuments.find((each) => each.slug === slug)
      return document === undefined ? undefined : { ...viewOf(document), text: await textOf(document) }
    },
    search: (text, limit) => search(text, limit),
    async systemFor(text) {
      const document = documentFor(text)
      if (document === undefined) return undefined
      const wanted = [text, document.title, ...document.keywords].join(' ')
      const passages = (await search(wanted, 20, document.slug)).filter((each) => !notForPrompts.has(each.heading))
      return promptPart(document, passages.slice(0, passagesInPrompt))
    },
  }
}

/** The document with most of its keywords in the text; undefined when none has any. */
export function documentFor(text: string): SystemDocument | undefined {
  const words = ` ${normal(text)} `
  const ranked = systemDocuments
    .map((document) => ({ document, weight: weightOf(document, words) }))
    .filter((each) => each.weight > 0)
    .toSorted((a, b) => b.weight - a.weight)
  return ranked[0]?.document
}

/** Longer keywords say more: `price increase` beats `price`. */
function weightOf({ keywords }: SystemDocument, words: string): number {
  const present = keywords.map(normal).filter((each) => words.includes(` ${each} `))
  return present.reduce((sum, each) => sum + each.length, 0)
}

function normal(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}

function promptPart(document: SystemDocument, passages: readonly SystemPassage[]): string | undefined {
  if (passages.length === 0) return undefined
  return [
    `<reference source="${document.slug}">`,
    `General knowledge on this question (${document.title}). Use it where it helps, in your own words; facts of the business come first.`,
    ...passages.map((each) => `## ${each.heading}\n${each.text}`),
    '</reference>',
  ].join('\n\n')
}

async function indexOf(textOf: (document: SystemDocument) => Promise<string>): Promise<{
  /** By their key. */
  readonly passages: ReadonlyMap<string, SystemPassage>
  readonly found: WordIndex
}> {
  const all = await Promise.all(systemDocuments.map(async (document) => passagesOf(document, await textOf(document))))
  const passages = new Map(all.flat().map((each, i) => [`${each.slug}#${i}`, each]))
  const docs = [...passages].map(([key, { title, heading, text, slug }]) => {
    const keywords = systemDocuments.find((each) => each.slug === slug)?.keywords ?? []
    return { key, title: `${title} ${heading} ${keywords.join(' ')}`, text }
  })
  const found = createWordIndex()
  found.add(docs)
  return { passages, found }
}

/** By the headings of second order; what stands before the first is the introduction. */
function passagesOf({ slug, title }: SystemDocument, markdown: string): SystemPassage[] {
  return markdown.split(/^## /m).map((part, i) => {
    const [first = '', ...lines] = part.trim().split('\n')
    const heading = i === 0 ? 'Introduction' : first
    return { slug, title, heading, text: lines.join('\n').trim() }
  })
}

function viewOf({ file: _, ...view }: SystemDocument): SystemDocumentView {
  return view
}
