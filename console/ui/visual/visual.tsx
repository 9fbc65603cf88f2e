// A visual as the person saw it, for reading: nothing can be sent from here. Texts are text, addresses were looked at where
// the blocks are made.

import { Fragment, useState } from 'react'
import { type Block, type Money, moneyText } from '../../../gateway/protocol/visuals/blocks.ts'
import { chartOf } from '../../../gateway/protocol/visuals/chart.ts'
import { blocksOf, type Visual as Known, type ShownVisual } from '../../../gateway/protocol/visuals/visual.ts'
import { visuals } from '../../../gateway/protocol/visuals/visuals.ts'
import './visual.css'

const language = 'en'

interface VisualProps {
  readonly shown: ShownVisual
  /** Other than all there are: for tests. */
  readonly among?: readonly Known[]
}

export function Visual({ shown, among = visuals }: VisualProps) {
  const blocks = blocksOf(shown, among)
  const title = among.find(({ name }) => name === shown.visual)?.title ?? shown.visual
  if (blocks.length === 0) return <p className="visual-unknown">Showed “{title}”, which this console cannot draw.</p>
  return (
    <figure className="visual" data-visual={shown.visual} aria-label={title}>
      <Blocks blocks={blocks} />
    </figure>
  )
}

function Blocks({ blocks }: { blocks: readonly Block[] }) {
  return blocks.map((block, at) => (
    <Fragment key={at}>
      <BlockView block={block} />
    </Fragment>
  ))
}

function BlockView({ block }: { block: Block }) {
  switch (block.is) {
    case 'heading':
      return <strong>{block.text}</strong>
    case 'text':
    case 'soft':
      return <p className={block.is}>{block.text}</p>
    case 'badge':
      return <p className={`visual-badge ${block.tone}`}>{block.text}</p>
    case 'price':
      return <p className="number">{moneyText(block, language)}</p>
    case 'image':
      return <Picture url={block.url} alt={block.alt} />
    case 'facts':
      return <Facts rows={block.rows} />
    case 'link':
      return (
        <a href={block.url} target="_blank" rel="noopener noreferrer nofollow">
          {block.text}
        </a>
      )
    case 'cards':
      return (
        <ul className="visual-cards" aria-label={block.label}>
          {block.cards.map((card, at) => (
            <li key={at}>
              <Blocks blocks={card} />
            </li>
          ))}
        </ul>
      )
    case 'chart':
      return <Chart block={block} />
    case 'choices':
      return (
        <ul className="visual-choices" aria-label={block.label}>
          {block.options.map(({ text }) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )
    case 'form':
      return <Facts rows={block.fields.map(({ label, value }) => ({ label, value: `${value ?? '–'}` }))} />
    case 'upload':
      return <p className="soft">Asks for a file: {block.accept.join(', ')}</p>
  }
}

function Facts({ rows }: { rows: readonly { readonly label: string; readonly value: string | Money }[] }) {
  return (
    <dl>
      {rows.map(({ label, value }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{typeof value === 'string' ? value : moneyText(value, language)}</dd>
        </div>
      ))}
    </dl>
  )
}

function Picture({ url, alt }: { url: string; alt: string }) {
  const [broken, setBroken] = useState(false)
  if (broken) return null
  return <img src={url} alt={alt} loading="lazy" referrerPolicy="no-referrer" onError={() => setBroken(true)} />
}

function Chart({ block }: { block: Extract<Block, { is: 'chart' }> }) {
  const { width, height, zero, bars, line, labels, text } = chartOf(block, language)
  return (
    <svg className="visual-chart" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={text}>
      <line className="axis" x1={0} x2={width} y1={zero} y2={zero} />
      {bars.map((bar) => (
        <rect key={bar.x} className="bar" {...bar} rx={3} />
      ))}
      {line !== '' && <polyline className="line" points={line} />}
      {labels.map(({ x, y, text: label, isValue }) => (
        <text key={`${x}:${y}`} className={isValue ? 'value' : 'name'} x={x} y={y} textAnchor="middle">
          {label}
        </text>
      ))}
    </svg>
  )
}
