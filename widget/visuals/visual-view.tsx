// Draws any visual from its blocks. Loaded when the first one is shown. What an agent or a tool wrote becomes text, and
// addresses were looked at where the blocks are made.

import { useState } from 'preact/hooks'
import { type Block, moneyText, type SubmitValues } from '../../gateway/protocol/visuals/blocks.ts'
import { readSubmit } from '../../gateway/protocol/visuals/submit.ts'
import { blocksOf, type ShownVisual, type Visual } from '../../gateway/protocol/visuals/visual.ts'
import { visuals } from '../../gateway/protocol/visuals/visuals.ts'
import type { Words } from '../words.ts'
import { ChartView } from './chart-view.tsx'
import type { Drawing } from './drawing.ts'
import { FormView } from './form-view.tsx'
import { UploadView } from './upload-view.tsx'

export interface VisualProps extends Pick<Drawing, 'language' | 'sending'> {
  readonly shown: ShownVisual
  readonly words: Pick<Words, 'visuals'>
  /** The gateway did not take what was sent. */
  readonly refused: boolean
  readonly send: (values: SubmitValues, text: string) => void
  /** Other than all there are: for tests. */
  readonly among?: readonly Visual[]
}

export function VisualView({ shown, words, language, sending, refused, send, among = visuals }: VisualProps) {
  const say = (english: string) => words.visuals[english] ?? english
  const blocks = blocksOf(shown, among, say)
  const submit = (values: SubmitValues) => {
    const read = readSubmit(blocks, values)
    if (read.is === 'unfit') return read.issues
    send(read.values, read.text)
    return []
  }
  if (blocks.length === 0) return null
  return (
    <>
      <Blocks blocks={blocks} drawing={{ say, language, sending, submit }} />
      {refused && (
        <p class="fault" role="alert">
          {say('That was not taken. Please check it, or tell the agent.')}
        </p>
      )}
    </>
  )
}

function Blocks({ blocks, drawing }: { blocks: readonly Block[]; drawing: Drawing }) {
  return (
    <>
      {blocks.map((block, at) => (
        <BlockView key={`${block.is}${at}`} block={block} drawing={drawing} />
      ))}
    </>
  )
}

function BlockView({ block, drawing }: { block: Block; drawing: Drawing }) {
  const { language, sending, submit } = drawing
  switch (block.is) {
    case 'heading':
      return <h3 dir="auto">{block.text}</h3>
    case 'text':
    case 'soft':
      return (
        <p class={block.is} dir="auto">
          {block.text}
        </p>
      )
    case 'badge':
      return <p class={`badge ${block.tone}`}>{block.text}</p>
    case 'price':
      return <p class="price">{moneyText(block, language)}</p>
    case 'image':
      return <Picture url={block.url} alt={block.alt} />
    case 'facts':
      return (
        <dl class="facts">
          {block.rows.map(({ label, value }) => (
            <div key={label}>
              <dt dir="auto">{label}</dt>
              <dd dir="auto">{typeof value === 'string' ? value : moneyText(value, language)}</dd>
            </div>
          ))}
        </dl>
      )
    case 'link':
      return (
        <a class={`link ${block.look}`} href={block.url} target="_blank" rel="noopener noreferrer nofollow">
          {block.text}
        </a>
      )
    case 'cards':
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
        <ul class={`cards ${block.layout}`} aria-label={block.label} tabIndex={0}>
          {block.cards.map((card, at) => (
            <li key={at}>
              <Blocks blocks={card} drawing={drawing} />
            </li>
          ))}
        </ul>
      )
    case 'chart':
      return <ChartView block={block} language={language} />
    case 'choices':
      return (
        <fieldset class="choices" aria-label={block.label} disabled={sending}>
          {block.options.map(({ text, values }) => (
            <button key={text} type="button" class="secondary" onClick={() => submit(values)}>
              {text}
            </button>
          ))}
        </fieldset>
      )
    case 'form':
      return <FormView block={block} drawing={drawing} />
    case 'upload':
      return <UploadView block={block} drawing={drawing} />
  }
}

/** A picture that cannot be had leaves no hole. */
function Picture({ url, alt }: { url: string; alt: string }) {
  const [broken, setBroken] = useState(false)
  if (broken) return null
  return <img src={url} alt={alt} loading="lazy" referrerpolicy="no-referrer" onError={() => setBroken(true)} />
}
