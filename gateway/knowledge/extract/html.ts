// HTML by linkedom; of a web page, what Mozilla's Readability takes for the article. Nothing in it runs.

import { Readability } from '@mozilla/readability'
import { parseHTML } from 'linkedom'
import type { Block, Extracted } from './chunks.ts'

/** As much of a document's parts as is looked at. */
interface Node {
  readonly nodeType: number
  readonly nodeName: string
  readonly textContent: string | null
  readonly childNodes: Iterable<Node>
}

/** An article of fewer characters is a guess that went wrong: the whole page is taken. */
const leastChars = 200

export function readHtml(text: string): Extracted {
  const { document } = parseHTML(text)
  const title = document.title.trim() || document.querySelector('h1')?.textContent?.trim() || undefined
  const whole = blocksIn(document.body ?? document.documentElement)
  const article = articleOf(text)
  const blocks = article === undefined ? whole : blocksOfHtml(`<html><body>${article}</body></html>`)
  return { title, blocks: lengthOf(blocks) < Math.min(leastChars, lengthOf(whole)) ? whole : blocks }
}

export function blocksOfHtml(html: string): Block[] {
  const { document } = parseHTML(html)
  return blocksIn(document.body ?? document.documentElement)
}

const lengthOf = (blocks: readonly Block[]): number => blocks.reduce((sum, { text }) => sum + text.length, 0)

/** Readability changes the document it is given. */
function articleOf(text: string): string | undefined {
  try {
    return new Readability(parseHTML(text).document, { charThreshold: leastChars }).parse()?.content ?? undefined
  } catch {
    // It stumbles over pages that browsers show: they are taken whole.
    return undefined
  }
}

const unseen = new Set(['script', 'style', 'noscript', 'template', 'iframe', 'svg', 'nav', 'button', 'form', 'head'])
const blockNames = new Set([
  ...['p', 'li', 'blockquote', 'pre', 'dt', 'dd', 'figcaption', 'caption', 'div', 'section', 'article', 'main', 'td'],
  ...['header', 'footer', 'aside', 'ul', 'ol', 'dl', 'body', 'html', 'table', 'thead', 'tbody', 'tfoot', 'tr', 'th'],
])

function blocksIn(root: Node): Block[] {
  const blocks: Block[] = []
  const headings: string[] = []
  let line = ''
  const close = (): void => {
    if (line.trim() !== '') blocks.push({ text: line, headings: headings.filter((each) => each !== '') })
    line = ''
  }
  const visit = (node: Node): void => {
    const name = node.nodeName.toLowerCase()
    if (node.nodeType === 3) line += node.textContent ?? ''
    if (node.nodeType !== 1 || unseen.has(name)) return
    const level = /^h([1-6])$/.exec(name)?.[1]
    if (level !== undefined) {
      close()
      headings.length = Number(level)
      headings[Number(level) - 1] = (node.textContent ?? '').replace(/\s+/g, ' ').trim()
      headings.splice(0, headings.length, ...Array.from(headings, (each) => each ?? ''))
      return
    }
    if (name === 'br') line += '\n'
    const rows = name === 'table' ? rowsOf(node) : []
    const parts = blockNames.has(name)
    if (parts) close()
    if (rows.length > 0)
      blocks.push(...rows.map((text) => ({ text, headings: headings.filter((each) => each !== ''), isRow: true })))
    else for (const child of node.childNodes) visit(child)
    if (parts) close()
  }
  visit(root)
  close()
  return blocks
}

/** `Column: value` where a table has a line of headers. None: the table is there for the layout. */
function rowsOf(table: Node): string[] {
  const rows = all(table, 'tr').map((row) =>
    [...row.childNodes]
      .filter((cell) => /^t[dh]$/i.test(cell.nodeName))
      .map((cell) => ({
        text: (cell.textContent ?? '').replace(/\s+/g, ' ').trim(),
        isHead: cell.nodeName.toLowerCase() === 'th',
      })),
  )
  const [first = [], ...rest] = rows
  if (all(table, 'table').length > 0 || rest.length === 0) return []
  const hasHead =
    first.length > 0 && (first.every(({ isHead }) => isHead) || first.every(({ text }) => text.length < 40))
  if (!hasHead) return rows.map((row) => row.map(({ text }) => text).join(' | '))
  return rest.map((row) =>
    row
      .map(({ text }, i) => (first[i]?.text ? `${first[i].text}: ${text}` : text))
      .filter((each) => each !== '')
      .join('; '),
  )
}

function all(node: Node, name: string): Node[] {
  return [...node.childNodes].flatMap((child) => [
    ...(child.nodeName.toLowerCase() === name ? [child] : []),
    ...all(child, name),
  ])
}
