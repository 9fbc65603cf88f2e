// Where the marks of a chart stand, in the units of its own box. Pure.

import type { Block } from './blocks.ts'

export interface ChartMarks {
  readonly width: number
  readonly height: number
  /** Where nought is. */
  readonly zero: number
  readonly bars: readonly { readonly x: number; readonly y: number; readonly width: number; readonly height: number }[]
  /** Points of a polyline; empty: none. */
  readonly line: string
  readonly labels: readonly {
    readonly x: number
    readonly y: number
    readonly text: string
    readonly isValue: boolean
  }[]
  /** All of it in words: for who cannot see it. */
  readonly text: string
}

const width = 320
const height = 180
const above = 18
const below = 18

export function chartOf({ kind, label, points, unit }: Extract<Block, { is: 'chart' }>, language: string): ChartMarks {
  const number = new Intl.NumberFormat(language, { notation: 'compact', maximumFractionDigits: 1 })
  const values = points.map(({ value }) => value)
  const top = Math.max(0, ...values)
  const bottom = Math.min(0, ...values)
  const scale = (height - above - below) / (top - bottom || 1)
  const step = width / points.length
  const at = (value: number) => above + (top - value) * scale
  const marks = points.map((point, i) => ({ ...point, x: step * (i + 0.5), y: at(point.value) }))
  // So many words that they stand beside one another.
  const every = Math.ceil(points.length / 8)
  const room = Math.max(3, Math.floor((step * every) / 6.5))
  return {
    ...{ width, height, zero: at(0) },
    bars: kind === 'line' ? [] : marks.map(({ x, y }) => barAt({ x, y, zero: at(0), width: step * 0.66 })),
    line: kind === 'line' ? marks.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ') : '',
    labels: marks
      .filter((_, i) => i % every === 0)
      .flatMap(({ x, y, label: name, value }) => [
        { x, y: Math.max(12, Math.min(y, at(0)) - 5), text: number.format(value), isValue: true },
        { x, y: height - 4, text: name.length > room ? `${name.slice(0, room - 1)}…` : name, isValue: false },
      ]),
    text: `${label}${unit === '' ? '' : ` (${unit})`}: ${points.map((each) => `${each.label} ${number.format(each.value)}`).join(', ')}`,
  }
}

function barAt({ x, y, zero, width: wide }: { x: number; y: number; zero: number; width: number }) {
  return { x: x - wide / 2, y: Math.min(y, zero), width: wide, height: Math.max(1, Math.abs(zero - y)) }
}
