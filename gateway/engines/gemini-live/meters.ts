// Usage as disjoint cumulative meters. The wire has no ids and no totals of the session: each report is about one turn of the
// model, whose prompt is the whole context again (the bill is the sum of the turns, as users who compared it report).

import type { MeterKey, Meters } from '../engines.ts'
import type { UsageMetadata } from './events.ts'

type Kind = 'text' | 'audio' | 'image'
type Counts = Record<Kind, number>
type Details = UsageMetadata['promptTokensDetails']

export class UsageMeters {
  readonly #committed: Record<string, number> = {}
  /** Of the turn under way: its reports grow, and may come twice. */
  #turn: UsageMetadata | undefined
  #isDue = false

  /** The model begins another turn: reports up to now were about the one before, late ones included. */
  begins(): void {
    for (const [key, amount] of entries(metersOf(this.#turn))) add(this.#committed, key, amount)
    if (this.#isDue && !this.known) add(this.#committed, 'unknown.usages', 1)
    this.#isDue = false
    this.#turn = undefined
  }

  /** The model works in the present turn, and its provider charges. */
  worked(): void {
    this.#isDue = true
  }

  /** No more reports come. The totals when a cost stays unknown by that; otherwise undefined. */
  close(): Meters | undefined {
    if (!this.#isDue || this.known) return undefined
    this.begins()
    return this.#totals({})
  }

  #totals(turn: Meters): Meters {
    const totals = { ...this.#committed }
    for (const [key, amount] of entries(turn)) add(totals, key, amount)
    return totals
  }

  /** Whether the present turn was reported. What was not is unknown, never zero. */
  get known(): boolean {
    return this.#turn !== undefined
  }

  /** The new totals; undefined when the report says nothing new. */
  report(usage: UsageMetadata): Meters | undefined {
    const before = JSON.stringify(metersOf(this.#turn))
    this.#turn = highest(this.#turn, usage)
    const meters = metersOf(this.#turn)
    if (JSON.stringify(meters) === before) return undefined
    return this.#totals(meters)
  }
}

function metersOf(usage: UsageMetadata | undefined): Meters {
  if (usage === undefined) return {}
  const prompt = split(usage.promptTokensDetails, usage.promptTokenCount, 'text')
  const tools = split(usage.toolUsePromptTokensDetails, usage.toolUsePromptTokenCount, 'text')
  const cached = within(prompt, usage)
  // Speech is all these models answer with; what they think is billed as text.
  const response = split(usage.responseTokensDetails, usage.responseTokenCount, 'audio')
  const amounts: readonly (readonly [MeterKey, number])[] = [
    ['input.text.tokens', prompt.text - cached.text + tools.text],
    ['input.audio.tokens', prompt.audio - cached.audio + tools.audio],
    ['input.image.tokens', prompt.image - cached.image + tools.image],
    ['input.cached.text.tokens', cached.text],
    ['input.cached.audio.tokens', cached.audio],
    ['input.cached.image.tokens', cached.image],
    ['output.text.tokens', response.text + response.image + (usage.thoughtsTokenCount ?? 0)],
    ['output.audio.tokens', response.audio],
  ]
  return Object.fromEntries(amounts.filter(([, amount]) => amount > 0))
}

/** What the details leave open of the total counts as `rest`: some 5 % of a prompt are told in no detail. */
function split(details: Details, total: number | undefined, rest: Kind): Counts {
  const counts: Counts = { text: 0, audio: 0, image: 0 }
  for (const { modality, tokenCount } of details ?? []) counts[kindOf(modality)] += tokenCount
  const open = (total ?? 0) - counts.text - counts.audio - counts.image
  counts[rest] += Math.max(0, open)
  return counts
}

/** Cached tokens are part of the prompt: no more of a kind than there is of it. */
function within(prompt: Counts, usage: UsageMetadata): Counts {
  const told = split(usage.cacheTokensDetails, undefined, 'text')
  let open = Math.max(0, (usage.cachedContentTokenCount ?? 0) - told.text - told.audio - told.image)
  const take = (kind: Kind) => {
    const known = Math.min(prompt[kind], told[kind])
    const more = Math.min(prompt[kind] - known, open)
    open -= more
    return known + more
  }
  return { text: take('text'), audio: take('audio'), image: take('image') }
}

function kindOf(modality: string): Kind {
  if (modality === 'AUDIO') return 'audio'
  return modality === 'IMAGE' || modality === 'VIDEO' ? 'image' : 'text'
}

function highest(a: UsageMetadata | undefined, b: UsageMetadata): UsageMetadata {
  if (a === undefined) return b
  const most = (x: number | undefined, y: number | undefined) =>
    x === undefined || y === undefined ? (x ?? y) : Math.max(x, y)
  return {
    promptTokenCount: most(a.promptTokenCount, b.promptTokenCount),
    promptTokensDetails: mostOfEach(a.promptTokensDetails, b.promptTokensDetails),
    cachedContentTokenCount: most(a.cachedContentTokenCount, b.cachedContentTokenCount),
    cacheTokensDetails: mostOfEach(a.cacheTokensDetails, b.cacheTokensDetails),
    toolUsePromptTokenCount: most(a.toolUsePromptTokenCount, b.toolUsePromptTokenCount),
    toolUsePromptTokensDetails: mostOfEach(a.toolUsePromptTokensDetails, b.toolUsePromptTokensDetails),
    responseTokenCount: most(a.responseTokenCount, b.responseTokenCount),
    responseTokensDetails: mostOfEach(a.responseTokensDetails, b.responseTokensDetails),
    thoughtsTokenCount: most(a.thoughtsTokenCount, b.thoughtsTokenCount),
  }
}

function mostOfEach(a: Details, b: Details): Details {
  if (a === undefined || b === undefined) return a ?? b
  const counts = new Map(a.map(({ modality, tokenCount }) => [modality, tokenCount]))
  for (const { modality, tokenCount } of b) counts.set(modality, Math.max(counts.get(modality) ?? 0, tokenCount))
  return [...counts].map(([modality, tokenCount]) => ({ modality, tokenCount }))
}

function add(meters: Record<string, number>, key: MeterKey, amount: number): void {
  meters[key] = (meters[key] ?? 0) + amount
}

function entries(meters: Meters): readonly (readonly [MeterKey, number])[] {
  return Object.entries(meters) as [MeterKey, number][]
}
