// Which of the tenant's tools a sentence asks for. Tools are known only at run time: by name, description and schema.

import type { EngineTool } from '../engines.ts'
import { fillSlots, propertiesOf, type Slots, spaced } from './slots.ts'
import { contentWords, rangeIn, stem, stemsOf, timeIn, withDigits } from './words.ts'

export interface Intent {
  readonly tool: EngineTool
  readonly slots: Slots
  /** `sure`: call it. `maybe`: only when nothing else is known. */
  readonly certainty: 'sure' | 'maybe'
}

/** What people ask for, and how tools that can answer it are called. */
const kinds: readonly { readonly asks: RegExp; readonly serves: RegExp; readonly weight: number }[] = [
  {
    asks: /\bhow many\b|\bnumber of\b|\bcheapest\b|\blowest\b|\bmost expensive\b|\bhighest\b|\baverage\b|\bprice range\b/i,
    serves: /\bstats?\b|statistic|\bcounts?\b|\bsummar|\baggregat|\boverview\b/,
    weight: 5,
  },
  {
    asks: /\b(?:show|find|search|looking for|look for|do you (?:have|sell)|have you got|any|i (?:want|need|would like)|recommend|cheap\w*|buy)\b/i,
    serves: /\b(?:search|find|lookup|look up|browse|products?|catalogu?e|items?|inventory)\b/,
    weight: 3,
  },
  {
    asks: /\b(?:who (?:speaks|is speaking|talks|presents|is on)|what(?:'s| is) (?:on|next|happening)|agenda|schedule|program(?:me)?|sessions?|talks?|when (?:does|is|do|will))\b/i,
    serves: /\b(?:schedule|program(?:me)?|agenda|timetable|sessions?|talks?)\b/,
    weight: 4,
  },
  { asks: /\b(?:who|speakers?|presenters?)\b/i, serves: /\b(?:speakers?|presenters?)\b/, weight: 3 },
  {
    asks: /\b(?:where|when|venue|address|tickets?|location|event|conference)\b/i,
    serves: /\b(?:event|conference|venue)\b.*\b(?:info|information|details|about|venue|dates?|tickets?)\b|\binfo\b/,
    weight: 3,
  },
  { asks: /\b(?:order|buy|purchase|checkout)\b/i, serves: /\b(?:order|checkout|purchase|cart)\b/, weight: 3 },
  {
    asks: /\b(?:book|reserve|appointment|reservation)\b/i,
    serves: /\b(?:book|booking|reserv|appointment)/,
    weight: 4,
  },
  {
    asks: /\b(?:call me|contact me|e-?mail|my name is|reach me)\b/i,
    serves: /\b(?:contact|lead|callback)\b/,
    weight: 3,
  },
]

const sureFrom = 5
const maybeFrom = 2.5

export function chooseTool(text: string, tools: readonly EngineTool[]): Intent | undefined {
  let best: { intent: Intent; score: number } | undefined
  for (const tool of tools) {
    const slots = fillSlots(tool.parameters, text)
    const score = scoreOf(text, tool, slots)
    if (score < maybeFrom || (best !== undefined && score <= best.score)) continue
    best = { score, intent: { tool, slots, certainty: score >= sureFrom ? 'sure' : 'maybe' } }
  }
  return best?.intent
}

function scoreOf(text: string, tool: EngineTool, slots: Slots): number {
  const name = spaced(tool.name)
  const about = `${name} ${tool.description.toLowerCase()}`
  const nameStems = stemsOf(name)
  const aboutStems = stemsOf(`${about} ${vocabulary(tool)}`)
  let score = slots.precise * 2 - slots.missing.length
  for (const kind of kinds) {
    if (!kind.asks.test(text)) continue
    // The description of a search tool mentions prices too: the name says what a tool is for.
    if (kind.serves.test(name)) score += kind.weight
    else if (kind.serves.test(about)) score += kind.weight / 2
  }
  for (const word of new Set(contentWords(text).map(stem))) {
    if (nameStems.has(word)) score += 2
    else if (aboutStems.has(word)) score += 1.5
  }
  return score - unused(text, tool)
}

/** A price or a time that was said and cannot be passed on speaks against the tool. */
function unused(text: string, tool: EngineTool): number {
  const said = withDigits(text)
  const takes = propertiesOf(tool.parameters)
    .map(([name]) => spaced(name))
    .join(' ')
  const { min, max } = rangeIn(said)
  let lost = 0
  if ((min !== undefined || max !== undefined) && !/price|max|min|budget|query/.test(takes)) lost += 2
  else if (
    min === undefined &&
    max === undefined &&
    timeIn(said) !== undefined &&
    !/\bat\b|time|hour|start/.test(takes)
  ) {
    lost += 2
  }
  return lost
}

function vocabulary(tool: EngineTool): string {
  return propertiesOf(tool.parameters)
    .map(
      ([name, { description, enum: options }]) => `${spaced(name)} ${description ?? ''} ${(options ?? []).join(' ')}`,
    )
    .join(' ')
}
