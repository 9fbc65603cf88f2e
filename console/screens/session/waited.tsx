// What the visitor waited for before this answer.

import type { TurnLatency } from '../../../gateway/protocol/turn.ts'
import { latency } from '../../ui/format.ts'
import { LatencyChip } from '../../ui/pill.tsx'

const parts: readonly (readonly [part: keyof TurnLatency, name: string])[] = [
  ['endpointingMs', 'end of speech'],
  ['sttMs', 'recognition'],
  ['modelMs', 'model'],
  ['toolsMs', 'tools'],
  ['ttsMs', 'voice'],
  ['transportMs', 'transport'],
]

export function Waited({ ms, split }: { ms: number; split: TurnLatency | undefined }) {
  const known = parts.flatMap(([part, name]) => {
    const partMs = split?.[part] ?? 0
    return partMs > 0 ? [{ part, name, ms: partMs }] : []
  })
  if (known.length === 0) return <LatencyChip ms={ms} />
  return (
    <details className="waited">
      <summary>
        <LatencyChip ms={ms} />
      </summary>
      <div className="waited-bar" aria-hidden="true">
        {known.map(({ part, ms: partMs }) => (
          <span key={part} data-part={part} style={{ flexGrow: partMs }} />
        ))}
      </div>
      <ul>
        {known.map(({ part, name, ms: partMs }) => (
          <li key={part} data-part={part}>
            {name} <b>{latency(partMs)}</b>
          </li>
        ))}
      </ul>
    </details>
  )
}
