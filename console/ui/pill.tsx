import type { ReactNode } from 'react'
import { latency, latencyTone } from './format.ts'
import type { Tone } from './words.ts'

export function Pill({ tone = 'neutral', title, children }: { tone?: Tone; title?: string; children: ReactNode }) {
  return (
    <span className="pill" data-tone={tone} title={title}>
      {children}
    </span>
  )
}

export function LatencyChip({ ms }: { ms: number | null }) {
  if (ms === null) return <span className="quiet">–</span>
  return (
    <span className="latency" data-tone={latencyTone(ms)} title="End of speech to first audio">
      {latency(ms)}
    </span>
  )
}

export function DemoBadge() {
  return (
    <Pill tone="tool" title="The built-in demo engine: no provider, no key">
      Demo
    </Pill>
  )
}
