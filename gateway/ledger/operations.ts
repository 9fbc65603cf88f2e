// The four movements of credit as decisions over an account: hold, extend, settle, post. Pure; rules L4–L13 of SPEC.md.

import { Problem } from '../platform/problem.ts'
import type { EntryView, Receipt, ReceiptLine } from '../protocol/rest.ts'
import { availableMicro, type Entry, type Hold, type Operation } from './account.ts'
import { requireId, requireInteger, requirePostKey } from './amount.ts'
import { checkLines, cutLines, mergeLines, sumLines } from './lines.ts'

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

export interface PostRequest {
  readonly key: string
  readonly kind: 'grant' | 'purchase' | 'refund' | 'adjust'
  readonly amountMicro: number
  readonly note: string
}

/** Keeps one account document below about 200 kB, and its checkpoints (one per hold and 15 s) below 14 writes a second. */
export const maxHolds = 200

export function holdOperation(request: HoldRequest): Operation<HoldAnswer> {
  const { holdId, sessionId, owner } = request
  requireId(holdId, 'holdId')
  requireId(sessionId, 'sessionId')
  const amountMicro = requireInteger(request.amountMicro, 'amountMicro', 0)
  return {
    key: `hold:${holdId}`,
    decide(account) {
      if (account.breached) throw new Problem('unavailable', 'The balance is being checked.')
      const shortfallMicro = amountMicro - availableMicro(account)
      if (shortfallMicro > 0) return { is: 'refuse', answer: { is: 'out_of_credit', shortfallMicro } }
      if (account.holds.size >= maxHolds) return { is: 'refuse', answer: { is: 'too_many_holds' } }
      return {
        is: 'apply',
        change: {
          draft: {
            kind: 'hold',
            amountMicro: 0,
            heldMicro: amountMicro,
            askedMicro: amountMicro,
            note: '',
            sessionId,
            holdId,
          },
          hold: { is: 'open', holdId, sessionId, owner, amountMicro },
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
    key: `ext:${holdId}:${n}`,
    decide(account) {
      const hold = account.holds.get(holdId)
      if (hold === undefined || hold.epoch !== epoch) return { is: 'refuse', answer: { is: 'gone' } }
      const shortfallMicro = addMicro - availableMicro(account)
      if (shortfallMicro > 0) return { is: 'refuse', answer: { is: 'out_of_credit', shortfallMicro } }
      const amountMicro = hold.amountMicro + addMicro
      return {
        is: 'apply',
        change: {
          draft: {
            kind: 'extend',
            amountMicro: 0,
            heldMicro: addMicro,
            askedMicro: addMicro,
            note: '',
            sessionId: hold.sessionId,
            holdId,
          },
          hold: { is: 'extend', hold, amountMicro },
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
    key: `settle:${holdId}`,
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
            kind: 'settle',
            amountMicro: 0 - chargeMicro,
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

function mayClose(hold: Hold, by: SettleRequest['by']): boolean {
  if ('epoch' in by) return hold.epoch === by.epoch
  return hold.epoch === by.seen.epoch && hold.checkpoints === by.seen.checkpoints
}

/** A cost once unknown stays unknown: a smaller number would look like the whole. */
function laterCost(stored: number | null | undefined, told: number | null): number | null {
  return stored === null || told === null ? null : Math.max(stored ?? 0, told)
}

export function postOperation(request: PostRequest): Operation<EntryView> {
  const key = requirePostKey(request.key)
  const askedMicro = requireInteger(request.amountMicro, 'amountMicro')
  return {
    key,
    decide(account) {
      // Out, credit goes down to zero and never touches what live sessions hold.
      const amountMicro = askedMicro < 0 ? 0 - Math.min(-askedMicro, Math.max(0, availableMicro(account))) : askedMicro
      requireInteger(account.postedMicro + amountMicro, 'balance')
      return {
        is: 'apply',
        change: { draft: { kind: request.kind, amountMicro, heldMicro: 0, askedMicro, note: request.note } },
        answer: entryView,
      }
    },
    replay(entry) {
      if (entry.kind !== request.kind || entry.askedMicro !== askedMicro) throw new Problem('conflict')
      return entryView(entry)
    },
  }
}

/** Entries a tenant sees: those that move what is posted. */
export const visibleKinds = [
  'grant',
  'purchase',
  'settle',
  'refund',
  'adjust',
] as const satisfies readonly EntryView['kind'][]

export function entryView(entry: Entry): EntryView {
  const { kind } = entry
  if (kind === 'hold' || kind === 'extend') throw new Problem('internal')
  return {
    id: entry.key,
    kind,
    amountMicro: entry.amountMicro,
    balanceMicro: entry.balanceMicro,
    ...(entry.sessionId === undefined ? {} : { sessionId: entry.sessionId }),
    note: entry.note,
    at: entry.at.toISOString(),
  }
}

/** The receipt a settle entry carries. */
export function receiptOf(entry: Entry): Receipt {
  const { receipt, sessionId, holdId } = entry
  if (receipt === undefined || sessionId === undefined || holdId === undefined) throw new Problem('internal')
  return {
    sessionId,
    holdId,
    lines: receipt.lines,
    totalMicro: 0 - entry.amountMicro,
    waivedMicro: receipt.waivedMicro,
    costUsdMicro: receipt.costUsdMicro,
    entryId: entry.key,
    settledAt: entry.at.toISOString(),
  }
}
