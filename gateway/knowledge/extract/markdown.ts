// Markdown by marked: paragraphs, lists, tables and code under their headings.

import { lexer, type Token, type Tokens } from 'marked'
import type { Block, Extracted } from './chunks.ts'

export function readMarkdown(text: string): Extracted {
  const blocks: Block[] = []
  const headings: string[] = []
  for (const token of lexer(withoutFrontMatter(text))) {
    if (token.type === 'heading') {
      const { depth } = token as Tokens.Heading
      headings.length = Math.min(headings.length, depth - 1)
      while (headings.length < depth - 1) headings.push('')
      headings.push(plain(token))
      continue
    }
    const under = headings.filter((each) => each !== '')
    for (const block of blocksOf(token)) blocks.push({ ...block, headings: under })
  }
  return { title: headings.length > 0 ? firstHeading(blocks) : undefined, blocks }
}

const firstHeading = (blocks: readonly Block[]): string | undefined =>
  blocks.find(({ headings = [] }) => headings.length > 0)?.headings?.[0]

function withoutFrontMatter(text: string): string {
  return text.replace(/^---\r?\n[\s\S]{0,10000}?\r?\n---\r?\n/, '')
}

function blocksOf(token: Token): Block[] {
  if (token.type === 'space' || token.type === 'hr' || token.type === 'def') return []
  if (token.type === 'list') return (token as Tokens.List).items.map((item) => ({ text: `- ${plain(item)}` }))
  if (token.type === 'table') {
    const { header, rows } = token as Tokens.Table
    return rows.map((row) => ({
      text: row.map((cell, i) => `${plainOf(header[i])}: ${plainOf(cell)}`).join('; '),
      isRow: true,
    }))
  }
  return [{ text: plain(token) }]
}

const plainOf = (cell: Tokens.TableCell | undefined): string =>
  cell === undefined ? '' : cell.tokens.map(plain).join('')

/** Words without marks; where a link leads is kept, a picture is what it shows. */
function plain(token: Token): string {
  if (token.type === 'html') return (token as Tokens.HTML).text.replace(/<[^>]{0,2000}>/g, ' ')
  if (token.type === 'br') return '\n'
  const inner = 'tokens' in token && token.tokens !== undefined ? token.tokens.map(plain).join('') : undefined
  if (token.type === 'link') {
    const { href, text } = token as Tokens.Link
    return href === text || !/^https?:/.test(href) ? (inner ?? text) : `${inner ?? text} (${href})`
  }
  if (inner !== undefined) return inner
  return 'text' in token && typeof token.text === 'string' ? token.text : ''
}
