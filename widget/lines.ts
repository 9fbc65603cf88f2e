// The transcript as the panel shows it. `parley.turn` is the truth; live text fills the time until it comes. Pure.

import type { Turn } from '../gateway/protocol/turn.ts'
import type { SubmitValues } from '../gateway/protocol/visuals/blocks.ts'
import type { ShownVisual } from '../gateway/protocol/visuals/visual.ts'

export interface Line {
  /** The engine's item id: joins live events, the player and the stored turn. */
  readonly itemId: string
  readonly role: 'user' | 'agent' | 'note' | 'visual'
  /** `waiting`: written here, not yet stored by the gateway for good. `unsent`: given up. */
  readonly state: 'waiting' | 'unsent' | 'partial' | 'final' | 'interrupted' | 'failed'
  readonly text: string
  /** Generated but never heard. */
  readonly unheard: string
  readonly voice: boolean
  /** Position given by the gateway; lines without one come last, in the order of their birth. */
  readonly seq: number | undefined
  readonly born: number
  /** Said before this visit. */
  readonly past: boolean
  /** Of a visual: as it is now. */
  readonly visual?: ShownVisual
  /** Sent from a visual, instead of written. */
  readonly submit?: { readonly id: string; readonly values: SubmitValues }
}

type NewLine = Pick<Line, 'itemId' | 'role' | 'state' | 'text'> & Partial<Line>

/** Adds a line at the end. */
export function add(lines: readonly Line[], line: NewLine): readonly Line[] {
  const born = Math.max(0, ...lines.map((each) => each.born)) + 1
  return sorted([...lines, { unheard: '', voice: false, seq: undefined, born, past: false, ...line }])
}

export function change(lines: readonly Line[], itemId: string, fields: Partial<Line>): readonly Line[] {
  return sorted(lines.map((line) => (line.itemId === itemId ? { ...line, ...fields } : line)))
}

export function find(lines: readonly Line[], itemId: string): Line | undefined {
  return lines.find((line) => line.itemId === itemId)
}

/** Tool calls and system turns are for the operator; the visitor sees the answer. `past`: a line that is new here is old. */
export function withTurn(before: readonly Line[], turn: Turn, past = false): readonly Line[] {
  const lines = turn.visual === undefined ? before : withVisual(before, turn.visual, { seq: turn.seq + 0.25, past })
  if (turn.role === 'tool' || turn.role === 'system') return lines
  const known = find(lines, turn.itemId)
  const fields = {
    role: turn.role,
    // What was written here is sent when it is stored, and not before.
    state: known?.state === 'waiting' ? known.state : turn.state,
    // Live text may run ahead of a turn that is still being written.
    text: turn.state === 'partial' ? longer(known?.text ?? '', turn.text) : turn.text,
    unheard: turn.unheard ?? '',
    voice: turn.voice,
    seq: turn.seq,
  }
  if (known !== undefined) return change(lines, turn.itemId, fields)
  return add(lines, { itemId: turn.itemId, past, ...fields })
}

/** Drawn where it was first shown, as it was last told. */
export function withVisual(lines: readonly Line[], visual: ShownVisual, fields: Partial<Line> = {}): readonly Line[] {
  const itemId = `visual:${visual.id}`
  const known = find(lines, itemId)
  if (known === undefined) return add(lines, { itemId, role: 'visual', state: 'final', text: '', visual, ...fields })
  return change(lines, itemId, { visual, seq: known.seq ?? fields.seq })
}

export interface LiveText {
  readonly itemId: string
  readonly role: 'user' | 'agent'
  readonly spoken: boolean
  readonly delta?: string
  readonly final?: string
}

/** `live` holds the text that arrived as deltas, by item: the line itself may know more already. */
export function withText(
  lines: readonly Line[],
  live: Readonly<Record<string, string>>,
  event: LiveText,
): { lines: readonly Line[]; live: Readonly<Record<string, string>> } {
  const { itemId, role, spoken } = event
  const text = event.final ?? (live[itemId] ?? '') + (event.delta ?? '')
  const next = { ...live, [itemId]: text }
  const known = find(lines, itemId)
  if (known === undefined)
    return { live: next, lines: add(lines, { itemId, role, voice: spoken, text, state: 'partial' }) }
  if (known.state !== 'partial') return { live: next, lines }
  return { live: next, lines: change(lines, itemId, { text: event.final ?? longer(known.text, text) }) }
}

/** What is left of lines whose connection broke: the rest of them will never come. */
export function settled(lines: readonly Line[]): readonly Line[] {
  return lines.map((line) => (line.state === 'partial' ? { ...line, state: 'final' } : line))
}

/**
 * Frames were lost: of what the panel shows, only what the conversation knows stays. Older lines than the turns given, and
 * what is written here and still on its way, are not in question.
 */
export function proven(lines: readonly Line[], turns: readonly Turn[]): readonly Line[] {
  const known = new Set(turns.map(({ itemId }) => itemId))
  const first = turns.length === 0 ? 0 : Math.min(...turns.map(({ seq }) => seq))
  return lines.filter(
    ({ itemId, role, state, seq, past, born }) =>
      known.has(itemId) ||
      role === 'note' ||
      role === 'visual' ||
      past ||
      born === 0 ||
      state === 'waiting' ||
      state === 'unsent' ||
      (seq !== undefined && seq < first),
  )
}

function longer(a: string, b: string): string {
  return a.length > b.length ? a : b
}

function sorted(lines: readonly Line[]): readonly Line[] {
  return lines.toSorted((a, b) => {
    if (a.seq !== undefined && b.seq !== undefined) return a.seq - b.seq
    if (a.seq === undefined && b.seq === undefined) return a.born - b.born
    return a.seq === undefined ? 1 : -1
  })
}
