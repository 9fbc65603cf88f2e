// The little Markdown that agents write, as data: nothing here ever becomes HTML by itself. Pure.

export type Inline =
  | { readonly is: 'text' | 'strong' | 'emphasis' | 'code'; readonly text: string }
  | { readonly is: 'link'; readonly text: string; readonly href: string }

export type Block =
  | { readonly is: 'paragraph'; readonly lines: readonly (readonly Inline[])[] }
  | { readonly is: 'list'; readonly ordered: boolean; readonly items: readonly (readonly Inline[])[] }
  | { readonly is: 'code'; readonly text: string }

/** Only addresses that cannot run anything; the rest stays text. */
const inlinePattern =
  /\*\*(?<strong>[^*]+)\*\*|`(?<code>[^`]+)`|(?<![\w*])[*_](?<emphasis>[^*_\s][^*_]*)[*_](?![\w*])|\[(?<label>[^\]]+)\]\((?<target>https?:\/\/[^)\s]+|mailto:[^)\s]+|tel:[+\d]+)\)|(?<bare>https?:\/\/[^\s<>)]*[^\s<>).,;:!?])/g

const itemPattern = /^\s*(?:[-*•]|(?<number>\d+)[.)])\s+(?<text>.+)$/

export function parseMarkdown(source: string): readonly Block[] {
  return source
    .split(/^(```[\s\S]*?(?:```|$(?![\s\S])))/m)
    .flatMap((part) => (part.startsWith('```') ? [codeBlock(part)] : textBlocks(part)))
}

function codeBlock(part: string): Block {
  return { is: 'code', text: part.replace(/^```\w*\n?/, '').replace(/\n?```$/, '') }
}

function textBlocks(source: string): readonly Block[] {
  const blocks: Block[] = []
  let paragraph: (readonly Inline[])[] = []
  let list: { ordered: boolean; items: (readonly Inline[])[] } | undefined
  const close = (): void => {
    if (paragraph.length > 0) blocks.push({ is: 'paragraph', lines: paragraph })
    if (list !== undefined) blocks.push({ is: 'list', ...list })
    paragraph = []
    list = undefined
  }
  for (const line of source.split('\n')) {
    const item = itemPattern.exec(line)?.groups
    if (line.trim() === '') close()
    else if (item?.text === undefined) {
      if (list !== undefined) close()
      paragraph.push(inlines(line.replace(/^#{1,6}\s+(.*)$/, '**$1**').trim()))
    } else {
      const ordered = item.number !== undefined
      if (list?.ordered !== ordered) close()
      list ??= { ordered, items: [] }
      list.items.push(inlines(item.text))
    }
  }
  close()
  return blocks
}

function inlines(text: string): readonly Inline[] {
  const found: Inline[] = []
  let at = 0
  for (const match of text.matchAll(inlinePattern)) {
    if (match.index > at) found.push({ is: 'text', text: text.slice(at, match.index) })
    at = match.index + match[0].length
    found.push(inline(match.groups ?? {}, match[0]))
  }
  if (at < text.length) found.push({ is: 'text', text: text.slice(at) })
  return found
}

function inline(groups: Readonly<Record<string, string | undefined>>, whole: string): Inline {
  const { strong, code, emphasis, label, target, bare } = groups
  if (strong !== undefined) return { is: 'strong', text: strong }
  if (code !== undefined) return { is: 'code', text: code }
  if (emphasis !== undefined) return { is: 'emphasis', text: emphasis }
  if (label !== undefined && target !== undefined) return { is: 'link', text: label, href: target }
  return { is: 'link', text: bare ?? whole, href: bare ?? whole }
}
