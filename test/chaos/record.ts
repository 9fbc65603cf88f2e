// What a client of a chaos run saw and did: half of the evidence. Times are `performance.now()` of the harness.

import { limits } from '../../gateway/protocol/realtime.ts'

export interface SeenItem {
  readonly itemId: string
  readonly sessionId: string
  role: string
  text: string
  state: string
  /** Place in the conversation, once the gateway has told it. */
  seq: number | undefined
}

export interface Asked {
  readonly tag: string
  readonly itemId: string
  readonly text: string
  readonly askedAtMs: number
  committedAtMs: number | undefined
  answeredAtMs: number | undefined
  /** Session in which it was last sent. */
  sessionId: string
  /** Why no answer is waited for any more: its session is over, or nothing came for too long. */
  givenUp: 'session over' | 'no answer' | undefined
}

/** One socket of a session, from `parley.session` to its end. */
export interface Attachment {
  readonly sessionId: string
  readonly fromMs: number
  /** Last sign of the gateway. */
  heardMs: number
  toMs: number | undefined
  /** From then on nothing of the client reached the gateway. */
  mutedMs: number | undefined
}

export interface Comeback {
  /** When this client noticed the loss (or decided to move). */
  readonly lostAtMs: number
  readonly sessionId: string
  /** An answer was being played or written then. */
  readonly midAnswer: boolean
  /** `moved`: a second socket was opened before the first ended. */
  readonly moved: boolean
  /** The network was back, if it was away: resuming before is impossible. */
  possibleAtMs: number | undefined
  backAtMs: number | undefined
  /** First audio or answer's word after it. */
  firstFrameAtMs: number | undefined
  became: 'resumed' | 'gap' | 'new' | undefined
}

export interface ClientRecord {
  readonly name: string
  readonly kind: 'text' | 'voice'
  readonly asked: Asked[]
  readonly items: Map<string, SeenItem>
  readonly committed: Set<string>
  readonly attachments: Attachment[]
  readonly comebacks: Comeback[]
  /** Codes with which sockets ended; 4900: given up by the client after silence. */
  readonly closes: number[]
  /** Breaches of the wire contract, as seen. */
  readonly breaches: string[]
  /** Sessions that the gateway ended with a word, and why. */
  readonly ends: { readonly sessionId: string; readonly reason: string }[]
}

export function emptyRecord(name: string, kind: ClientRecord['kind']): ClientRecord {
  return {
    name,
    kind,
    asked: [],
    items: new Map(),
    committed: new Set(),
    attachments: [],
    comebacks: [],
    closes: [],
    breaches: [],
    ends: [],
  }
}

/** The client was away for as long as its session waits. */
export function isWindowOver({ kind, attachments }: ClientRecord): boolean {
  const last = attachments.at(-1)
  const windowMs = limits.resumeWindowMs[kind === 'voice' ? 'voice' : 'chat']
  return last !== undefined && performance.now() - (last.mutedMs ?? last.toMs ?? Infinity) >= windowMs
}

export function percentile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)]
}
