// Credit that comes in: grants of the three tiers and what is posted by hand. Pure; rules L12, L18 and L20 of SPEC.md.

import { Problem } from '../platform/problem.ts'
import type { CreditTier, EntryView } from '../protocol/rest.ts'
import { type Account, type Decision, type Entry, type Operation, plainDraft } from './account.ts'
import { requireInteger, requirePostKey, requireReference } from './amount.ts'
import { allocate, availableMicro } from './burn.ts'
import { dayIn, nextDayIn } from './calendar.ts'
import { negated } from './grants.ts'
import { entryView } from './present.ts'

export interface PostRequest {
  readonly key: string
  readonly kind: 'grant' | 'purchase' | 'refund' | 'adjust'
  readonly amountMicro: number
  readonly note: string
}

export interface DailyGrant {
  readonly amountMicro: number
  /** IANA name of the tenant's zone: its calendar day makes the key, its next midnight the end. */
  readonly timeZone: string
  readonly note: string
}

export interface MonthlyGrant {
  /** Names the billing period: one grant per period. */
  readonly periodId: string
  readonly periodEnd: Date
  readonly amountMicro: number
  readonly note: string
}

export interface Purchase {
  /** The payment's id, never the event's: several events tell of one payment. */
  readonly paymentId: string
  readonly amountMicro: number
  readonly expiresAt?: Date
  readonly note: string
}

/** `already`: the entry is the one that was made the first time. */
export interface GrantAnswer {
  readonly is: 'granted' | 'already'
  /** For a refund of this grant. */
  readonly grantId: string
  readonly entry: EntryView
}

export function dailyOperation({ amountMicro, timeZone, note }: DailyGrant): Operation<GrantAnswer> {
  requireInteger(amountMicro, 'amountMicro', 1)
  const key = (account: Account) => `daily:${dayIn(timeZone, account.now)}`
  return {
    key,
    decide: (account) =>
      give(account, {
        ...{ key: key(account), kind: 'grant', tier: 'daily', amountMicro, note },
        expiresAt: nextDayIn(timeZone, account.now),
      }),
    // A later visit of the day may bring another amount: the day has had its grant all the same.
    replay: already,
  }
}

export function monthlyOperation(request: MonthlyGrant): Operation<GrantAnswer> {
  const { amountMicro, note } = request
  const key = `monthly:${requireReference(request.periodId, 'periodId')}`
  const expiresAt = requireDate(request.periodEnd, 'periodEnd')
  return grantOperation({ key, kind: 'grant', tier: 'monthly', amountMicro, note, expiresAt })
}

export function purchaseOperation(request: Purchase): Operation<GrantAnswer> {
  const { amountMicro, note } = request
  const key = `purchase:${requireReference(request.paymentId, 'paymentId')}`
  const expiresAt = request.expiresAt === undefined ? undefined : requireDate(request.expiresAt, 'expiresAt')
  return grantOperation({ key, kind: 'purchase', tier: 'purchased', amountMicro, note, expiresAt })
}

interface Giving {
  readonly key: string
  readonly kind: 'grant' | 'purchase'
  readonly tier: CreditTier
  readonly amountMicro: number
  readonly note: string
  readonly expiresAt: Date | undefined
}

function grantOperation(giving: Giving): Operation<GrantAnswer> {
  requireInteger(giving.amountMicro, 'amountMicro', 1)
  return {
    key: () => giving.key,
    decide: (account) => give(account, giving),
    replay(entry) {
      const same =
        entry.kind === giving.kind &&
        entry.askedMicro === giving.amountMicro &&
        entry.expiresAt?.getTime() === giving.expiresAt?.getTime()
      if (!same) throw new Problem('conflict')
      return already(entry)
    },
  }
}

function give(account: Account, giving: Giving): Decision<GrantAnswer> {
  const { key, kind, tier, amountMicro, note, expiresAt } = giving
  requireInteger(account.postedMicro + amountMicro, 'balance')
  return {
    is: 'apply',
    change: {
      draft: {
        ...plainDraft,
        ...{ kind, amountMicro, askedMicro: amountMicro, note },
        moves: [{ grantId: key, tier, amountMicro }],
        ...(expiresAt === undefined ? {} : { expiresAt }),
      },
    },
    answer: (entry) => ({ is: 'granted', grantId: entry.key, entry: entryView(entry) }),
  }
}

function already(entry: Entry): GrantAnswer {
  return { is: 'already', grantId: entry.key, entry: entryView(entry) }
}

/** In, a purchased grant without an end; out, down to zero of what is available. */
export function postOperation(request: PostRequest): Operation<EntryView> {
  const { kind, note } = request
  const key = requirePostKey(request.key)
  const askedMicro = requireInteger(request.amountMicro, 'amountMicro')
  return {
    key: () => key,
    decide(account) {
      const amountMicro = askedMicro < 0 ? 0 - Math.min(-askedMicro, availableMicro(account)) : askedMicro
      requireInteger(account.postedMicro + amountMicro, 'balance')
      const given = askedMicro === 0 ? [] : [{ grantId: key, tier: 'purchased' as const, amountMicro }]
      const moves = askedMicro < 0 ? negated(allocate(account, 0 - amountMicro)) : given
      return {
        is: 'apply',
        change: { draft: { ...plainDraft, kind, amountMicro, askedMicro, moves, note } },
        answer: entryView,
      }
    },
    replay(entry) {
      if (entry.kind !== kind || entry.askedMicro !== askedMicro) throw new Problem('conflict')
      return entryView(entry)
    },
  }
}

function requireDate(date: Date, name: string): Date {
  if (Number.isNaN(date.getTime())) throw new Problem('invalid', `${name} is no date.`)
  return date
}
