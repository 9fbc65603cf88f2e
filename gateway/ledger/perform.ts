// One mutation over an account: what has ended expires, the operation is decided and applied, credit that is free pays
// what is owed. Pure: the same for the store, the property tests and the simulation. Rules L19, L21 and L22.

import {
  type Account,
  type Change,
  type Entry,
  type Hold,
  type Operation,
  type PendingEntry,
  plainDraft,
} from './account.ts'
import { allocate, availableMicro, freeGrants } from './burn.ts'
import { type Grant, negated, withMoves } from './grants.ts'

interface Progress {
  readonly account: Account
  readonly entries: readonly PendingEntry[]
}

export type Outcome<Answer> =
  | { readonly is: 'refuse'; readonly answer: Answer }
  | (Progress & { readonly is: 'apply'; readonly key: string; readonly answer: (entry: Entry) => Answer })

export function perform<Answer>(
  read: Account,
  operation: Operation<Answer>,
  history: readonly Entry[],
): Outcome<Answer> {
  const key = operation.key(read)
  const before = expireDue(read)
  // What ends just now belongs to the history, too.
  const justEnded = before.entries.map((entry) => ({ ...entry, at: read.now }))
  const decision = operation.decide(before.account, [...history, ...justEnded])
  if (decision.is === 'refuse') {
    const [first] = before.entries
    if (decision.expire !== true || first === undefined) return decision
    return { is: 'apply', key: first.key, ...before, answer: () => decision.answer }
  }
  const changes = [{ key, ...decision.change }, ...(decision.also ?? [])]
  const done = changes.reduce(advance, before)
  const expired = expireFree(done, decision.change.draft.holdId)
  const after = fold(repay(expired, key))
  return { is: 'apply', key, ...after, answer: decision.answer }
}

/** Writes down what has ended, and nothing else: for accounts that nobody moves. */
export const expiry: Operation<undefined> = {
  // No entry has this key: the ones it makes have keys of their own.
  key: () => 'expire',
  decide: () => ({ is: 'refuse', answer: undefined, expire: true }),
  replay: () => undefined,
}

/** What has ended by the store's time, as entries of its own. */
export function expireDue(account: Account): Progress {
  return expireFree({ account, entries: [] })
}

/** `holdId`: the hold that gave credit back to grants that have ended already. */
function expireFree(progress: Progress, holdId?: string): Progress {
  const nowMs = progress.account.now.getTime()
  const ended = (grant: Grant) => grant.expired || (grant.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY) <= nowMs
  if (![...progress.account.grants.values()].some(ended)) return progress
  const due = freeGrants(progress.account).filter(({ grant, freeMicro }) => freeMicro > 0 && ended(grant))
  return due
    .map(({ grant, freeMicro }): Change => {
      const { grantId, tier } = grant
      const amountMicro = 0 - freeMicro
      return {
        // The mark, not the clock, tells the first time: the store's clock may have been set back in between.
        key: grant.expired ? `expire:${grantId}:${holdId}` : `expire:${grantId}`,
        draft: {
          ...plainDraft,
          kind: 'expire',
          amountMicro,
          askedMicro: amountMicro,
          moves: [{ grantId, tier, amountMicro }],
          note: '',
          ofGrant: grantId,
        },
      }
    })
    .reduce(advance, progress)
}

/** Debt and free credit never stand side by side. */
function repay(progress: Progress, key: string): Progress {
  const { account } = progress
  if (account.debtMicro === 0) return progress
  const paidMicro = Math.min(account.debtMicro, availableMicro(account))
  if (paidMicro === 0) return progress
  const amountMicro = 0 - paidMicro
  const moves = negated(allocate(account, paidMicro))
  return advance(progress, {
    key: `repay:${key}`,
    draft: {
      ...plainDraft,
      kind: 'repay',
      amountMicro,
      debtMicro: amountMicro,
      askedMicro: amountMicro,
      moves,
      note: '',
    },
  })
}

/** Live grants an account keeps apart: at about 130 bytes each, 13 kB of the document. */
export const maxGrants = 100

/** Above that many, the two oldest purchased grants without an end become one. */
function fold(progress: Progress): Progress {
  const { account } = progress
  if (account.grants.size <= maxGrants) return progress
  // Into the oldest, always: a grant that others were folded into is never folded itself.
  const [into, ...rest] = freeGrants(account).filter(({ grant }) => grant.expiresAt === undefined)
  const from = rest.find(({ grant, freeMicro }) => freeMicro === grant.leftMicro)
  if (into === undefined || from === undefined) return progress
  const { grantId, tier, leftMicro } = from.grant
  return advance(progress, {
    key: `fold:${grantId}`,
    draft: {
      ...plainDraft,
      kind: 'fold',
      askedMicro: leftMicro,
      moves: [
        { grantId, tier, amountMicro: 0 - leftMicro },
        { grantId: into.grant.grantId, tier: into.grant.tier, amountMicro: leftMicro },
      ],
      note: '',
      ofGrant: grantId,
    },
  })
}

function advance({ account, entries }: Progress, change: Change): Progress {
  const { key, draft } = change
  const seq = account.version + 1
  const postedMicro = account.postedMicro + draft.amountMicro
  const next: Account = {
    ...account,
    version: seq,
    postedMicro,
    debtMicro: account.debtMicro + draft.debtMicro,
    grants: draft.moves.length === 0 ? account.grants : movedGrants(account, change, seq),
    holds: change.hold === undefined ? account.holds : changedHolds(account, change),
  }
  return { account: next, entries: [...entries, { ...draft, key, seq, balanceMicro: postedMicro }] }
}

function movedGrants(account: Account, { draft }: Change, seq: number): ReadonlyMap<string, Grant> {
  const grants = new Map(account.grants)
  for (const { grantId, tier, amountMicro } of draft.moves) {
    const before = grants.get(grantId)
    const leftMicro = (before?.leftMicro ?? 0) + amountMicro
    // Nothing left also means that no hold has any of it.
    if (leftMicro === 0) grants.delete(grantId)
    else if (before === undefined)
      grants.set(grantId, { grantId, seq, tier, leftMicro, expiresAt: draft.expiresAt, expired: false })
    else grants.set(grantId, { ...before, leftMicro, expired: before.expired || draft.kind === 'expire' })
  }
  return grants
}

function changedHolds(account: Account, { hold, draft, allocated = [] }: Change): ReadonlyMap<string, Hold> {
  const holds = new Map(account.holds)
  if (hold?.is === 'open') {
    const { holdId, sessionId, owner } = hold
    holds.set(holdId, {
      ...{ holdId, sessionId, owner, epoch: 1, checkpoints: 0, seenAt: account.now, lines: [] },
      amountMicro: draft.heldMicro,
      allocations: withMoves(new Map(), allocated),
      costUsdMicro: undefined,
    })
  } else if (hold?.is === 'extend') {
    const { holdId, amountMicro, allocations } = hold.hold
    const more = { amountMicro: amountMicro + draft.heldMicro, allocations: withMoves(allocations, allocated) }
    holds.set(holdId, { ...hold.hold, ...more })
  } else if (hold?.is === 'close') holds.delete(hold.hold.holdId)
  return holds
}
