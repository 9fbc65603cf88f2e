import { type ComponentChildren, Fragment } from 'preact'
import { type Block, type Inline, parseMarkdown } from '../markdown.ts'

/** `tail` goes on in the last line of the text. */
export function Markdown({ text, tail }: { text: string; tail?: ComponentChildren }) {
  const blocks = parseMarkdown(text)
  const goesOn = blocks.at(-1)?.is === 'paragraph'
  return (
    <>
      {blocks.map((block, at) => (
        <BlockView block={block} tail={goesOn && at === blocks.length - 1 ? tail : undefined} />
      ))}
      {!goesOn && tail !== undefined && <p>{tail}</p>}
    </>
  )
}

function BlockView({ block, tail }: { block: Block; tail: ComponentChildren }) {
  if (block.is === 'code') return <pre>{block.text}</pre>
  if (block.is === 'paragraph')
    return (
      <p>
        {block.lines.map((line, at) => (
          <>
            {at > 0 && <br />}
            <Inlines parts={line} />
          </>
        ))}
        {tail}
      </p>
    )
  const items = block.items.map((item) => (
    <li>
      <Inlines parts={item} />
    </li>
  ))
  return block.ordered ? <ol>{items}</ol> : <ul>{items}</ul>
}

function Inlines({ parts }: { parts: readonly Inline[] }) {
  return (
    <>
      {parts.map((part) => (
        <InlineView part={part} />
      ))}
    </>
  )
}

function InlineView({ part }: { part: Inline }) {
  switch (part.is) {
    case 'strong':
      return <strong>{part.text}</strong>
    case 'emphasis':
      return <em>{part.text}</em>
    case 'code':
      return <code>{part.text}</code>
    case 'link':
      return (
        <a href={part.href} target="_blank" rel="noopener noreferrer nofollow">
          {part.text}
        </a>
      )
    case 'text':
      return <Fragment>{part.text}</Fragment>
  }
}
