import { useState } from 'react'

export interface Bar {
  readonly key: string
  readonly day: string
  /** The day and what happened on it. */
  readonly label: string
  readonly value: number
  /** The value in words. */
  readonly text: string
}

interface BarChartProps {
  readonly title: string
  readonly total: string
  readonly bars: readonly Bar[]
  readonly tone: 'accent' | 'tool'
}

const heightPx = 96
/** Days without talk keep a hairline, so that they are not read as missing. */
const leastPx = 1.5

export function BarChart({ title, total, bars, tone }: BarChartProps) {
  const [at, setAt] = useState<number>()
  const most = Math.max(...bars.map((bar) => bar.value), 0)
  const shown = at === undefined ? undefined : bars[at]
  const slot = 100 / Math.max(1, bars.length)
  return (
    <figure className="chart" data-tone={tone}>
      <figcaption>
        <span>{title}</span>
        <strong className="number">{shown?.text ?? total}</strong>
        <small>{shown?.label ?? `last ${bars.length} days`}</small>
      </figcaption>
      <svg width="100%" height={heightPx} aria-hidden="true" onPointerLeave={() => setAt(undefined)}>
        <line x1="0" x2="100%" y1={heightPx - 0.5} y2={heightPx - 0.5} className="chart-base" />
        {bars.map((bar, index) => {
          const barPx = most === 0 ? leastPx : Math.max(leastPx, (bar.value / most) * (heightPx - 8))
          return (
            <g key={bar.key} onPointerEnter={() => setAt(index)} data-on={at === index || undefined}>
              <rect x={`${index * slot}%`} width={`${slot}%`} y={0} height={heightPx} className="chart-slot" />
              <rect
                x={`${(index + 0.14) * slot}%`}
                width={`${slot * 0.72}%`}
                y={heightPx - barPx}
                height={barPx}
                rx={bars.length > 45 ? 1 : 2}
                className="chart-bar"
              />
            </g>
          )
        })}
      </svg>
      <div className="chart-axis" aria-hidden="true">
        <span>{bars[0]?.day}</span>
        <span>{bars.at(-1)?.day}</span>
      </div>
    </figure>
  )
}
