// PDF by Mozilla's PDF.js: its text, page by page. Pictures of text are not read.

import { getDocumentProxy } from 'unpdf'
import type { Block, Extracted } from './chunks.ts'
import { Unreadable } from './unreadable.ts'

const mostPages = 3_000

export async function readPdf(bytes: Uint8Array, progress: (share: number) => void): Promise<Extracted> {
  const pdf = await getDocumentProxy(Uint8Array.from(bytes)).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'PasswordException')
      throw new Unreadable('encrypted', 'The PDF is protected by a password. Upload it without one.')
    throw new Unreadable('unreadable', 'The PDF is damaged.')
  })
  if (pdf.numPages > mostPages) throw new Unreadable('too_large', `The PDF has more than ${mostPages} pages.`)
  const blocks: Block[] = []
  for (let page = 1; page <= pdf.numPages; page++) {
    const { items } = await (await pdf.getPage(page)).getTextContent()
    const text = items.map((item) => ('str' in item ? item.str + (item.hasEOL ? '\n' : '') : '')).join('')
    for (const paragraph of text.split(/\n\s*\n/)) blocks.push({ text: joined(paragraph), page })
    progress(page / pdf.numPages)
  }
  if (blocks.every(({ text }) => text.trim() === ''))
    throw new Unreadable('empty', 'The PDF has no text. If its pages are scans, run a text recognition over it first.')
  return { title: await titleOf(pdf), blocks }
}

/** Lines of a paragraph, and words that were parted at the end of one. */
const joined = (text: string): string => text.replace(/(\p{Ll})-\n(\p{Ll})/gu, '$1$2').replace(/\n/g, ' ')

async function titleOf(pdf: Awaited<ReturnType<typeof getDocumentProxy>>): Promise<string | undefined> {
  const { info } = await pdf.getMetadata().catch(() => ({ info: {} }))
  const title: unknown = Reflect.get(info, 'Title')
  // What programs write there by themselves names a file or nothing.
  return typeof title === 'string' && !/^(untitled|microsoft word|.*\.\w{2,4}$)/i.test(title) ? title : undefined
}
