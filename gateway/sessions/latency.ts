// How long the caller waits for an answer, and what for: every millisecond between the last sound of their speech (or the end of
// their writing) and the first sound of the answer belongs to exactly one part.

import type { EngineEvent } from '../engines/engines.ts'
import type { TurnLatency } from '../protocol/turn.ts'

type Part = keyof TurnLatency

/** An answer nobody waits for any more is no measurement. */
const staleMs = 120_000

export interface Measured {
  /** Sum of the parts, ms. */
  readonly latencyMs: number
  readonly latency: TurnLatency
}

interface Wait {
  readonly parts: Partial<Record<Part, number>>
  readonly spoken: boolean
  /** What the time since `sinceMs` will be counted as. `asked`: recognition, if it is done before the model begins. */
  at: 'asked' | 'modelMs' | 'ttsMs' | 'toolsMs'
  sinceMs: number
}

interface Sent {
  readonly itemId: string
  readonly sentAtMs: number
  readonly measured: Measured
}

export class Latency {
  #wait: Wait | undefined
  /** The last answer whose player has not told of it yet. */
  #sent: Sent | undefined
  #all: { readonly itemId: string; ms: number }[] = []

  /** Median of the waits so far, ms. */
  get medianMs(): number | null {
    const sorted = this.#all.map(({ ms }) => ms).toSorted((a, b) => a - b)
    return sorted[Math.floor(sorted.length / 2)] ?? null
  }

  wrote(nowMs: number): void {
    this.#wait = { parts: {}, spoken: false, at: 'modelMs', sinceMs: nowMs }
  }

  event(event: EngineEvent, nowMs: number): void {
    if (event.type === 'userSpeech') {
      // Who speaks on waits anew.
      this.#wait = event.phase === 'start' ? undefined : spoke(event.silenceMs, nowMs - (event.keptMs ?? 0))
      return
    }
    const wait = this.#wait
    if (wait === undefined) return
    if (event.type === 'userText' && (event.final !== undefined || event.failed !== undefined)) {
      if (wait.at === 'asked' && wait.spoken) turn(wait, 'modelMs', nowMs, 'sttMs')
    } else if (event.type === 'responseStarted') {
      if (wait.at !== 'modelMs') turn(wait, 'modelMs', nowMs, wait.at === 'toolsMs' ? 'toolsMs' : 'modelMs')
    } else if (event.type === 'firstToken') {
      if (wait.at === 'modelMs') turn(wait, 'ttsMs', nowMs, 'modelMs')
    } else if (event.type === 'toolCall') {
      if (wait.at !== 'toolsMs') turn(wait, 'toolsMs', nowMs, 'modelMs')
    }
  }

  /** The first sound (or word) of an answer goes out. Undefined: nobody asked for it. */
  answered(itemId: string, nowMs: number): Measured | undefined {
    const wait = this.#wait
    this.#wait = undefined
    if (wait === undefined || nowMs - wait.sinceMs > staleMs) return undefined
    turn(wait, 'modelMs', nowMs, wait.at === 'asked' ? 'modelMs' : wait.at)
    const measured = sum(wait.parts)
    this.#sent = { itemId, sentAtMs: nowMs, measured }
    this.#all = [...this.#all.slice(-99), { itemId, ms: measured.latencyMs }]
    return measured
  }

  /** The player has played so much of the item: the first report tells how long the sound was on its way. */
  played(itemId: string, playedMs: number, nowMs: number): Measured | undefined {
    const sent = this.#sent
    if (sent?.itemId !== itemId || playedMs <= 0) return undefined
    this.#sent = undefined
    const transportMs = Math.max(0, nowMs - playedMs - sent.sentAtMs)
    const measured = sum({ ...sent.measured.latency, transportMs })
    const known = this.#all.find((each) => each.itemId === itemId)
    if (known !== undefined) known.ms = measured.latencyMs
    return measured
  }
}

function spoke(silenceMs: number | undefined, nowMs: number): Wait {
  const parts = silenceMs === undefined ? {} : { endpointingMs: silenceMs }
  return { parts, spoken: true, at: 'asked', sinceMs: nowMs }
}

/** What passed until now was `part`; what follows is `next`. */
function turn(wait: Wait, next: Wait['at'], nowMs: number, part: Part): void {
  wait.parts[part] = (wait.parts[part] ?? 0) + nowMs - wait.sinceMs
  wait.at = next
  wait.sinceMs = nowMs
}

/** Rounded so that the parts still sum to the whole. */
function sum(parts: Readonly<Partial<Record<Part, number>>>): Measured {
  const latency: Partial<Record<Part, number>> = {}
  let latencyMs = 0
  for (const [part, ms] of Object.entries(parts) as [Part, number][]) {
    latency[part] = Math.round(ms)
    latencyMs += Math.round(ms)
  }
  return { latencyMs, latency }
}
