// From what a document says, in its order, to passages that a search finds and a model reads. Pure.

/** A paragraph, a list item, a row of a table. */
export interface Block {
  readonly text: string
  /** Headings it stands under, outermost first. */
  readonly headings?: readonly string[]
  /** Of a document that has pages, from 1. */
  readonly page?: number
  /** Stands by itself: is not torn apart from its own words, and what comes before explains nothing in it. */
  readonly isRow?: boolean
}

export interface Extracted {
  /** As the document calls itself. */
  readonly title?: string | undefined
  readonly blocks: readonly Block[]
}

export interface Chunk {
  readonly title: string
  readonly heading?: string
  readonly page?: number
  readonly text: string
}

/** Some 200 words: a passage answers one question, and ten of them fit into what a tool may answer. */
const wantedChars = 1_000
const mostChars = 1_500
/** What the end of one passage tells, the next one may refer to. */
const overlapChars = 150
const titleChars = 200
const headingChars = 300

export function chunksOf({ title, blocks }: Extracted, name: string): Chunk[] {
  const called = clean(title ?? '').slice(0, titleChars) || name.slice(0, titleChars)
  const chunks: Chunk[] = []
  let open: { text: string; block: Block } | undefined
  const close = (): void => {
    if (open !== undefined) chunks.push(chunkOf(called, open.block, open.text))
  }
  for (const block of blocks.flatMap(pieces)) {
    const isSame = open !== undefined && isSection(open.block, block)
    if (open !== undefined && isSame && open.text.length + block.text.length < wantedChars) {
      open = { ...open, text: `${open.text}\n${block.text}` }
      continue
    }
    close()
    const before = open !== undefined && isSame && block.isRow !== true ? `${tail(open.text)}\n` : ''
    open = { text: before.trimStart() + block.text, block }
  }
  close()
  return chunks
}

function chunkOf(title: string, { headings = [], page }: Block, text: string): Chunk {
  const heading = headings.filter((each) => each !== title).join(' › ')
  return {
    ...{ title, text },
    ...(heading === '' ? {} : { heading: heading.slice(0, headingChars) }),
    ...(page === undefined ? {} : { page }),
  }
}

/** A passage has one heading and one page: both are told with it. */
const isSection = (a: Block, b: Block): boolean =>
  a.page === b.page && a.isRow === b.isRow && (a.headings ?? []).join('\n') === (b.headings ?? []).join('\n')

/** A block that is longer than a passage may be: at ends of sentences, else of words, else anywhere. */
function pieces(block: Block): Block[] {
  const text = clean(block.text)
  if (text === '') return []
  if (text.length <= mostChars) return [{ ...block, text }]
  const parts: Block[] = []
  for (let rest = text; rest !== ''; ) {
    const end = rest.length <= mostChars ? rest.length : cutAt(rest)
    parts.push({ ...block, text: rest.slice(0, end).trim() })
    rest = rest.slice(end).trimStart()
  }
  return parts
}

function cutAt(text: string): number {
  const room = text.slice(0, wantedChars)
  const sentence = Math.max(...['. ', '! ', '? ', '。', '\n'].map((mark) => room.lastIndexOf(mark)))
  if (sentence > wantedChars / 2) return sentence + 1
  const word = room.lastIndexOf(' ')
  return word > wantedChars / 2 ? word + 1 : wantedChars
}

/** Whole sentences where there are any. */
function tail(text: string): string {
  const end = text.slice(-overlapChars)
  if (end.length === text.length) return ''
  const sentence = /[.!?。]\s+/u.exec(end)
  return sentence === null ? end.slice(end.indexOf(' ') + 1) : end.slice(sentence.index + sentence[0].length)
}

/** Neither control characters nor empty lines; halves of pairs would not be stored. */
function clean(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(/[^\P{Cc}\n\t]/gu, '')
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n\s*/g, '\n')
    .trim()
}
