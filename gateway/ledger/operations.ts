// The life of a hold as decisions over an account: hold, extend, settle. Pure; rules L4–L11 of SPEC.md.

import { Problem } from '../platform/problem.ts'
import type { Receipt, ReceiptLine } from '../protocol/rest.ts'
import { type Account, type Hold, type Operation, plainDraft } from './account.ts'
import { requireId, requireInteger } from './amount.ts'
import { allocate, chargeMoves, shortfallMicro } from './burn.ts'
import { checkLines, cutLines, mergeLines, sumLines } from './lines.ts'
import { receiptOf } from './present.ts'

export interface HoldRequest {
  /** Random per attempt, reused by the retries of that attempt. */
  readonly holdId: string
  readonly sessionId: string
  readonly amountMicro: number
  /** Process that owns the session. */
  readonly owner: string
}

export type HoldAnswer =
  | { readonly is: 'held'; readonly epoch: number; readonly amountMicro: number }
  | { readonly is: 'out_of_credit'; readonly shortfallMicro: number }
  | { readonly is: 'too_many_holds' }

export interface ExtendRequest {
  readonly holdId: string
  readonly n: number
  readonly addMicro: number
  readonly epoch: number
}

export type ExtendAnswer =
  | { readonly is: 'held'; readonly amountMicro: number }
  | { readonly is: 'out_of_credit'; readonly shortfallMicro: number }
  | { readonly is: 'gone' }

export interface SettleRequest {
  readonly holdId: string
  /** The bill so far; the charge is min(sum, hold), the lines are cut to fit and the rest is waived. */
  readonly lines: readonly ReceiptLine[]
  readonly costUsdMicro: number | null
  readonly note: string
  /** The owner proves itself by epoch; the janitor by what it saw when it scanned. */
  readonly by: { readonly epoch: number } | { readonly seen: { readonly epoch: number; readonly checkpoints: number } }
}

export type SettleAnswer =
  | { readonly is: 'settled'; readonly receipt: Receipt }
  | { readonly is: 'already'; readonly receipt: Receipt }
  | { readonly is: 'fenced' }

/** Keeps one account document below about 200 kB, and its checkpoints (one per hold and 15 s) below 14 writes a second. */
export const maxHolds = 200

export function holdOperation(request: HoldRequest): Operation<HoldAnswer> {
  const { holdId, sessionId, owner } = request
  requireId(holdId, 'holdId')
  requireId(sessionId, 'sessionId')
  const amountMicro = requireInteger(request.amountMicro, 'amountMicro', 0)
  return {
    key: () => `hold:${holdId}`,
    decide(account) {
      requireSound(account)
      const missingMicro = shortfallMicro(account, amountMicro)
      if (missingMicro > 0) return { is: 'refuse', answer: { is: 'out_of_credit', shortfallMicro: missingMicro } }
      if (account.holds.size >= maxHolds) return { is: 'refuse', answer: { is: 'too_many_holds' } }
      return {
        is: 'apply',
        change: {
          draft: {
            ...plainDraft,
            kind: 'hold',
            heldMicro: amountMicro,
            askedMicro: amountMicro,
            note: '',
            sessionId,
            holdId,
          },
          hold: { is: 'open', holdId, sessionId, owner },
          allocated: allocate(account, amountMicro),
        },
        answer: () => ({ is: 'held', epoch: 1, amountMicro }),
      }
    },
    replay(entry, account) {
      const hold = account.holds.get(holdId)
      if (hold === undefined) throw new Problem('conflict', 'That hold was settled already.')
      if (hold.sessionId !== sessionId || entry.askedMicro !== amountMicro) throw new Problem('conflict')
      return { is: 'held', epoch: hold.epoch, amountMicro: hold.amountMicro }
    },
  }
}

export function extendOperation(request: ExtendRequest): Operation<ExtendAnswer> {
  const { holdId, epoch } = request
  requireId(holdId, 'holdId')
  const n = requireInteger(request.n, 'n', 1)
  const addMicro = requireInteger(request.addMicro, 'addMicro', 0)
  return {
    key: () => `ext:${holdId}:${n}`,
    decide(account) {
      const hold = account.holds.get(holdId)
      if (hold === undefined || hold.epoch !== epoch) return { is: 'refuse', answer: { is: 'gone' } }
      const missingMicro = shortfallMicro(account, addMicro)
      if (missingMicro > 0) return { is: 'refuse', answer: { is: 'out_of_credit', shortfallMicro: missingMicro } }
      const amountMicro = hold.amountMicro + addMicro
      return {
        is: 'apply',
        change: {
          draft: {
            ...plainDraft,
            kind: 'extend',
            heldMicro: addMicro,
            askedMicro: addMicro,
            note: '',
            sessionId: hold.sessionId,
            holdId,
          },
          hold: { is: 'extend', hold },
          allocated: allocate(account, addMicro),
        },
        answer: () => ({ is: 'held', amountMicro }),
      }
    },
    replay(_entry, account) {
      const hold = account.holds.get(holdId)
      return hold === undefined || hold.epoch !== epoch ? { is: 'gone' } : { is: 'held', amountMicro: hold.amountMicro }
    },
  }
}

export function settleOperation(request: SettleRequest): Operation<SettleAnswer> {
  const { holdId, by } = request
  requireId(holdId, 'holdId')
  const lines = checkLines(request.lines)
  if (request.costUsdMicro !== null) requireInteger(request.costUsdMicro, 'costUsdMicro', 0)
  return {
    key: () => `settle:${holdId}`,
    decide(account) {
      const hold = account.holds.get(holdId)
      if (hold === undefined || !mayClose(hold, by)) return { is: 'refuse', answer: { is: 'fenced' } }
      const used = mergeLines(hold.lines, lines)
      const usedMicro = sumLines(used)
      const chargeMicro = Math.min(usedMicro, hold.amountMicro)
      return {
        is: 'apply',
        change: {
          draft: {
            ...plainDraft,
            kind: 'settle',
            amountMicro: 0 - chargeMicro,
            moves: chargeMoves(account, hold, chargeMicro),
            heldMicro: 0 - hold.amountMicro,
            askedMicro: 0 - usedMicro,
            note: request.note,
            sessionId: hold.sessionId,
            holdId,
            receipt: {
              lines: cutLines(used, chargeMicro),
              waivedMicro: usedMicro - chargeMicro,
              costUsdMicro: laterCost(hold.costUsdMicro, request.costUsdMicro),
            },
          },
          hold: { is: 'close', hold },
        },
        answer: (entry) => ({ is: 'settled', receipt: receiptOf(entry) }),
      }
    },
    replay: (entry) => ({ is: 'already', receipt: receiptOf(entry) }),
  }
}

/** A tenant whose entries do not give its balance spends nothing new. */
export function requireSound(account: Account): void {
  if (account.breached) throw new Problem('unavailable', 'The balance is being checked.')
}

function mayClose(hold: Hold, by: SettleRequest['by']): boolean {
  if ('epoch' in by) return hold.epoch === by.epoch
  return hold.epoch === by.seen.epoch && hold.checkpoints === by.seen.checkpoints
}

/** A cost once unknown stays unknown: a smaller number would look like the whole. */
function laterCost(stored: number | null | undefined, told: number | null): number | null {
  return stored === null || told === null ? null : Math.max(stored ?? 0, told)
}
