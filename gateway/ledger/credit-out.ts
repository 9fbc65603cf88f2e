// Credit that goes out without a hold: deductions, refunds of a grant, debt. Pure; rules L12, L22 and L23 of SPEC.md.

import { Problem } from '../platform/problem.ts'
import type { EntryView, ReceiptLine } from '../protocol/rest.ts'
import { type Account, type Change, type Entry, type Operation, plainDraft } from './account.ts'
import { requireId, requireInteger, requirePostKey, requireReference } from './amount.ts'
import { allocate, availableMicro, freeGrants, shortfallMicro } from './burn.ts'
import { negated } from './grants.ts'
import { checkLines, sumLines } from './lines.ts'
import { requireSound } from './operations.ts'
import { entryView } from './present.ts'

export interface Deduction {
  readonly key: string
  readonly amountMicro: number
  readonly note: string
  /** What it is for, summing to the amount: makes a receipt. */
  readonly lines?: readonly ReceiptLine[]
  readonly costUsdMicro?: number | null
  /** Puts it on the session's receipt; needs lines. */
  readonly sessionId?: string
}

export type DeductAnswer =
  | { readonly is: 'deducted'; readonly entry: EntryView }
  | { readonly is: 'out_of_credit'; readonly shortfallMicro: number }

export type CheckAnswer =
  | { readonly is: 'enough'; readonly availableMicro: number }
  | { readonly is: 'out_of_credit'; readonly availableMicro: number; readonly shortfallMicro: number }

export interface Refund {
  /** What `addPurchasedCredits` (or another grant) answered. */
  readonly grantId: string
  readonly refundId: string
  readonly amountMicro: number
  readonly note: string
}

export type RefundAnswer =
  | { readonly is: 'refunded'; readonly entry: EntryView; readonly owedMicro: number }
  | { readonly is: 'unknown_grant' }
  | { readonly is: 'too_much'; readonly refundableMicro: number }

export interface Debt {
  readonly key: string
  readonly amountMicro: number
  readonly note: string
}

/** The whole amount or nothing. */
export function deductOperation(request: Deduction): Operation<DeductAnswer> {
  const { note, sessionId } = request
  const key = requirePostKey(request.key)
  const askedMicro = 0 - requireInteger(request.amountMicro, 'amountMicro', 0)
  if (sessionId !== undefined) requireId(sessionId, 'sessionId')
  const receipt = billOf(request)
  return {
    key: () => key,
    decide(account) {
      requireSound(account)
      const missingMicro = shortfallMicro(account, 0 - askedMicro)
      if (missingMicro > 0) return { is: 'refuse', answer: { is: 'out_of_credit', shortfallMicro: missingMicro } }
      return {
        is: 'apply',
        change: {
          draft: {
            ...plainDraft,
            ...{ kind: 'deduct', amountMicro: askedMicro, askedMicro, note },
            moves: negated(allocate(account, 0 - askedMicro)),
            ...(sessionId === undefined ? {} : { sessionId }),
            ...(receipt === undefined ? {} : { receipt }),
          },
        },
        answer: (entry) => ({ is: 'deducted', entry: entryView(entry) }),
      }
    },
    replay(entry) {
      if (entry.kind !== 'deduct' || entry.askedMicro !== askedMicro || entry.sessionId !== sessionId)
        throw new Problem('conflict')
      return { is: 'deducted', entry: entryView(entry) }
    },
  }
}

function billOf({ lines, amountMicro, sessionId, costUsdMicro = null }: Deduction) {
  if (lines === undefined) {
    if (sessionId !== undefined) throw new Problem('invalid', "What goes on a session's receipt needs lines.")
    return undefined
  }
  if (costUsdMicro !== null) requireInteger(costUsdMicro, 'costUsdMicro', 0)
  const checked = checkLines(lines)
  if (sumLines(checked) !== amountMicro) throw new Problem('invalid', 'The lines do not sum to the amount.')
  return { lines: checked, waivedMicro: 0, costUsdMicro }
}

/** Takes from the grant what is free of it; what was spent of it is owed. Credit that expired is neither. */
export function refundOperation(request: Refund): Operation<RefundAnswer> {
  const { grantId, note } = request
  requirePostKey(grantId)
  const key = `refund:${requireReference(request.refundId, 'refundId')}`
  const amountMicro = requireInteger(request.amountMicro, 'amountMicro', 1)
  return {
    key: () => key,
    about: grantId,
    decide(account, history) {
      const past = pastOf(grantId, history)
      if (past.givenMicro === 0) return { is: 'refuse', answer: { is: 'unknown_grant' } }
      const refundableMicro = past.givenMicro - past.refundedMicro
      if (amountMicro > refundableMicro) return { is: 'refuse', answer: { is: 'too_much', refundableMicro } }
      const source = account.grants.get(past.heldBy)
      const takenMicro = Math.min(amountMicro, source === undefined ? 0 : freeOf(account, past.heldBy))
      const spentMicro = past.refundedMicro + amountMicro - past.takenMicro - takenMicro - past.expiredMicro
      const owedMicro = Math.max(0, spentMicro - past.owedMicro)
      const moves =
        source === undefined || takenMicro === 0
          ? []
          : [{ grantId: past.heldBy, tier: source.tier, amountMicro: 0 - takenMicro }]
      const draft = { ...plainDraft, kind: 'refund' as const, amountMicro: 0 - takenMicro, moves, note }
      return {
        is: 'apply',
        change: { draft: { ...draft, askedMicro: 0 - amountMicro, ofGrant: grantId } },
        also: owedMicro === 0 ? [] : [debtOf(`owe:${key}`, { amountMicro: owedMicro, note, ofGrant: grantId })],
        answer: (entry) => ({ is: 'refunded', entry: entryView(entry), owedMicro }),
      }
    },
    replay(entry, _account, history) {
      if (entry.kind !== 'refund' || entry.ofGrant !== grantId || entry.askedMicro !== 0 - amountMicro)
        throw new Problem('conflict')
      const debt = history.find((each) => each.key === `owe:${key}`)
      return { is: 'refunded', entry: entryView(entry), owedMicro: debt?.debtMicro ?? 0 }
    },
  }
}

/** What is owed without a grant behind it: a fee of a dispute, say. Paid at once as far as there is credit. */
export function debtOperation(request: Debt): Operation<EntryView> {
  const key = requirePostKey(request.key)
  const amountMicro = requireInteger(request.amountMicro, 'amountMicro', 1)
  return {
    key: () => key,
    decide(account) {
      requireInteger(account.debtMicro + amountMicro, 'debt')
      const { key: _key, ...change } = debtOf(key, { amountMicro, note: request.note })
      return { is: 'apply', change, answer: entryView }
    },
    replay(entry) {
      if (entry.kind !== 'debt' || entry.debtMicro !== amountMicro) throw new Problem('conflict')
      return entryView(entry)
    },
  }
}

function debtOf(key: string, owed: { amountMicro: number; note: string; ofGrant?: string }): Change {
  const { amountMicro, ...rest } = owed
  return { key, draft: { ...plainDraft, kind: 'debt', debtMicro: amountMicro, askedMicro: amountMicro, ...rest } }
}

export function checkOf(account: Account, amountMicro: number): CheckAnswer {
  const missingMicro = shortfallMicro(account, requireInteger(amountMicro, 'amountMicro', 0))
  const available = availableMicro(account)
  if (missingMicro <= 0) return { is: 'enough', availableMicro: available }
  return { is: 'out_of_credit', availableMicro: available, shortfallMicro: missingMicro }
}

function freeOf(account: Account, grantId: string): number {
  return freeGrants(account).find(({ grant }) => grant.grantId === grantId)?.freeMicro ?? 0
}

/** What the entries of a grant say of it. */
function pastOf(grantId: string, history: readonly Entry[]) {
  const past = { givenMicro: 0, refundedMicro: 0, takenMicro: 0, owedMicro: 0, expiredMicro: 0, heldBy: grantId }
  for (const entry of history) {
    if (entry.key === grantId) past.givenMicro = Math.max(0, entry.amountMicro)
    if (entry.ofGrant !== grantId) continue
    if (entry.kind === 'refund') {
      past.refundedMicro -= entry.askedMicro
      past.takenMicro -= entry.amountMicro
    } else if (entry.kind === 'debt') past.owedMicro += entry.debtMicro
    else if (entry.kind === 'expire') past.expiredMicro -= entry.amountMicro
    else if (entry.kind === 'fold') past.heldBy = entry.moves.find((move) => move.amountMicro > 0)?.grantId ?? grantId
  }
  return past
}
