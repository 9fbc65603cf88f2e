// One use of a tool that a person decides about: its states and what leads from one to the next. Pure. Rules of SPEC.md.

import type { Actor } from '../../platform/access.ts'
import type { TenantId } from '../../platform/ids.ts'
import { type ApprovalState, type ApprovalView, undoMs } from '../../protocol/approvals.ts'
import type { Channel } from '../../protocol/turn.ts'

export interface Decision {
  readonly by: Actor
  readonly atMs: number
  /** Why it was rejected. */
  readonly reason?: string
  /** Of whoever approved. */
  readonly note?: string
  /** What runs instead of what the model wrote: canonical JSON. */
  readonly edited?: string
  /** Of what was approved. */
  readonly hash?: string
}

export interface Approval {
  readonly id: string
  readonly tenantId: TenantId
  readonly agent: { readonly id: string; readonly name: string; readonly version: number }
  /** `session`: asked in a live one. `message`: in writing, and `sessionId` is the inbound message's id. */
  readonly origin: 'session' | 'message'
  readonly sessionId: string
  readonly conversationId: string
  readonly contactId?: string
  /** Who asked the agent, for tools that act with that one's rights. */
  readonly caller?: Actor
  readonly channel: Channel
  readonly callId: string
  readonly tool: string
  /** Canonical JSON. */
  readonly args: string
  readonly hash: string
  readonly state: ApprovalState
  readonly requestedAtMs: number
  readonly expiresAtMs: number
  readonly decision?: Decision
  /** Of an approved one: when it runs. */
  readonly effectAtMs?: number
  /** Processes that began the effect. */
  readonly attempts: number
  readonly result?: string
  /** What is to be known of an end that was not a person's word. */
  readonly why?: string
  readonly endedAtMs?: number
  readonly delivery: ApprovalView['delivery']
  /** Counts its changes: what was read is changed only if nobody was faster. */
  readonly rev: number
}

export const expiryMs = 24 * 60 * 60_000

export type ApprovalEvent =
  | {
      readonly is: 'approve'
      readonly by: Actor
      readonly hash: string
      readonly edited?: string
      readonly note?: string
    }
  | { readonly is: 'reject'; readonly by: Actor; readonly reason?: string }
  | { readonly is: 'undo' }
  | { readonly is: 'expire' }
  | { readonly is: 'withdraw'; readonly why: string }
  /** A process begins the effect, or takes it from one that died over it. */
  | { readonly is: 'take' }
  | {
      readonly is: 'finish'
      readonly outcome: 'done' | 'failed' | 'unknown'
      /** What the tool answered. */
      readonly result: string
    }
  | { readonly is: 'told' }
  /** There is nobody left to tell. */
  | { readonly is: 'lost' }

export type Step =
  | { readonly is: 'next'; readonly approval: Approval }
  /** Decided so before: nothing changes. */
  | { readonly is: 'stands' }
  | { readonly is: 'refused'; readonly message: string }

const stands: Step = { is: 'stands' }

/** Ends: none of them changes any more. */
const over: ReadonlySet<ApprovalState> = new Set(['done', 'failed', 'unknown', 'rejected', 'expired', 'withdrawn'])
export const isOver = ({ state }: Pick<Approval, 'state'>): boolean => over.has(state)
/** Approved by a person, whatever came of it. */
const wasApproved: ReadonlySet<ApprovalState> = new Set(['approved', 'running', 'done', 'failed', 'unknown'])

/** What runs. */
export const argumentsOf = ({ args, decision }: Approval): string => decision?.edited ?? args

export function step(approval: Approval, event: ApprovalEvent, nowMs: number): Step {
  const next = changing(approval, nowMs)
  const { state } = approval
  switch (event.is) {
    case 'approve':
      return approve(approval, event, nowMs)
    case 'reject':
      if (state === 'rejected') return stands
      return isOpen(approval, nowMs)
        ? next.end({ state: 'rejected', decision: decided(event, nowMs) })
        : refused(approval, nowMs)
    case 'undo':
      if (state === 'pending') return stands
      if (state !== 'approved' || nowMs >= (approval.effectAtMs ?? 0)) return refused(approval, nowMs)
      return next.to({ state: 'pending' }, ['decision', 'effectAtMs'])
    case 'expire':
      if (state === 'expired') return stands
      return state === 'pending' && nowMs >= approval.expiresAtMs
        ? next.end({ state: 'expired', why: 'Nobody decided within 24 hours.' })
        : refused(approval, nowMs)
    case 'withdraw':
      if (state === 'withdrawn') return stands
      return isOver(approval) ? refused(approval, nowMs) : next.end({ state: 'withdrawn', why: event.why })
    case 'take':
      if (state === 'running') return next.to({ attempts: approval.attempts + 1 })
      return state === 'approved' && nowMs >= (approval.effectAtMs ?? 0)
        ? next.to({ state: 'running', attempts: approval.attempts + 1 })
        : refused(approval, nowMs)
    case 'finish':
      if (state !== 'running') return isOver(approval) ? stands : refused(approval, nowMs)
      return next.end({ state: event.outcome, result: event.result })
    case 'told':
    case 'lost':
      return approval.delivery === 'owed' ? next.to({ delivery: event.is }) : stands
  }
}

const isOpen = ({ state, expiresAtMs }: Approval, nowMs: number): boolean => state === 'pending' && nowMs < expiresAtMs

function approve(approval: Approval, event: ApprovalEvent & { is: 'approve' }, nowMs: number): Step {
  if (wasApproved.has(approval.state) && approval.decision?.hash === event.hash) return stands
  if (!isOpen(approval, nowMs)) return refused(approval, nowMs)
  return changing(approval, nowMs).to({
    state: 'approved',
    effectAtMs: nowMs + undoMs,
    decision: {
      ...decided(event, nowMs),
      hash: event.hash,
      ...(event.edited === undefined ? {} : { edited: event.edited }),
    },
  })
}

function decided({ by, ...event }: ApprovalEvent & { is: 'approve' | 'reject' }, atMs: number): Decision {
  return {
    ...{ by, atMs },
    ...(event.is === 'reject' && event.reason !== undefined ? { reason: event.reason } : {}),
    ...(event.is === 'approve' && event.note !== undefined ? { note: event.note } : {}),
  }
}

function changing({ rev, ...approval }: Approval, nowMs: number) {
  const to = (change: Partial<Approval>, without: readonly ('decision' | 'effectAtMs')[] = []): Step => {
    const kept = Object.entries(approval).filter(([key]) => !without.some((each) => each === key))
    // Only what is optional is left out.
    return { is: 'next', approval: { ...(Object.fromEntries(kept) as typeof approval), ...change, rev: rev + 1 } }
  }
  return { to, end: (change: Partial<Approval>) => to({ ...change, endedAtMs: nowMs, delivery: 'owed' }) }
}

const words: Readonly<Record<ApprovalState, string>> = {
  pending: 'Nobody has decided about this yet.',
  approved: 'This was approved.',
  running: 'This was approved, and it is being done.',
  done: 'This was approved and done.',
  failed: 'This was approved, and it failed.',
  unknown: 'This was approved and begun; nobody knows whether it was done.',
  rejected: 'This was rejected.',
  expired: 'This has expired: nobody decided within 24 hours.',
  withdrawn: 'This may not be done any more.',
}

function refused(approval: Approval, nowMs: number): Step {
  const isLate = approval.state === 'pending' && nowMs >= approval.expiresAtMs
  return { is: 'refused', message: words[isLate ? 'expired' : approval.state] }
}
