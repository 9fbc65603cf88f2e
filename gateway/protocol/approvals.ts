// A person's decision about one use of a tool, as every client sees it.

import type { Channel } from './turn.ts'

export const approvalStates = [
  'pending',
  'approved',
  'running',
  'done',
  'failed',
  'unknown',
  'rejected',
  'expired',
  'withdrawn',
] as const
/**
 * `pending`: a person is asked. `approved`: it runs when the time to undo is over. `unknown`: it was begun and nobody knows
 * whether it was done. `withdrawn`: it may not run any more, whoever approves it.
 */
export type ApprovalState = (typeof approvalStates)[number]

/** Within it an approval can be taken back: the effect waits for it. */
export const undoMs = 5_000

export interface ApprovalChange {
  /** Dotted path inside the arguments. */
  readonly path: string
  /** Missing: it was not there. */
  readonly before?: unknown
  /** Missing: it was taken out. */
  readonly after?: unknown
}

export interface ApprovalView {
  readonly id: string
  readonly state: ApprovalState
  readonly agentId: string
  readonly agentName: string
  readonly agentVersion: number
  readonly tool: string
  /** Live session in which it was asked for; null: it was asked for in writing. */
  readonly sessionId: string | null
  readonly conversationId: string
  readonly contactId: string | null
  readonly channel: Channel
  readonly callId: string
  /** As the model wrote them. */
  readonly arguments: Readonly<Record<string, unknown>>
  /** sha256 over the tool, its arguments and the session: what was asked for. */
  readonly argumentsHash: string
  /** As a person changed them before approving; null: they were not. */
  readonly editedArguments: Readonly<Record<string, unknown>> | null
  /** What was changed; empty: nothing. */
  readonly changes: readonly ApprovalChange[]
  /** The same over what was approved, which is what runs. */
  readonly approvedHash: string | null
  readonly requestedAt: string
  readonly expiresAt: string
  readonly decidedBy: { readonly kind: string; readonly id: string; readonly name: string } | null
  readonly decidedAt: string | null
  /** Why it was rejected or withdrawn, or what else is to be known of the outcome. */
  readonly reason: string | null
  /** Of whoever approved it. */
  readonly note: string | null
  /** Until then it can be undone; the effect comes right after. Null: it is not approved. */
  readonly effectAt: string | null
  readonly endedAt: string | null
  /** What the tool answered: JSON text. */
  readonly result: string | null
  /** Whether the person on the other side was told: `owed` until then, `lost` where that could not be done. */
  readonly delivery: 'none' | 'owed' | 'told' | 'lost'
}

/** With what a person needs who wants to change the arguments. */
export interface ApprovalDetail extends ApprovalView {
  readonly description: string | null
  /** JSON Schema of the arguments; null: the tool is gone. */
  readonly parameters: Readonly<Record<string, unknown>> | null
}

export interface ApprovalPage {
  readonly items: readonly ApprovalView[]
  readonly next: string | null
}
