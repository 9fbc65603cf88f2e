import type { Block } from '../../gateway/protocol/visuals/blocks.ts'
import { chartOf } from '../../gateway/protocol/visuals/chart.ts'

export function ChartView({ block, language }: { block: Extract<Block, { is: 'chart' }>; language: string }) {
  const { width, height, zero, bars, line, labels, text } = chartOf(block, language)
  return (
    <svg class="chart" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={text}>
      <line class="axis" x1={0} x2={width} y1={zero} y2={zero} />
      {bars.map((bar) => (
        <rect key={bar.x} class="bar" x={bar.x} y={bar.y} width={bar.width} height={bar.height} rx={3} />
      ))}
      {line !== '' && <polyline class="line" points={line} />}
      {labels.map(({ x, y, text: label, isValue }) => (
        <text key={`${x}:${y}`} class={isValue ? 'value' : 'name'} x={x} y={y} text-anchor="middle">
          {label}
        </text>
      ))}
    </svg>
  )
}
