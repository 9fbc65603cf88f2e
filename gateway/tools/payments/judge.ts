// What a payment becomes by what the provider's API says of it. Pure.

import type { Standing } from '../providers/payments.ts'

export type PaymentState = 'opening' | 'open' | 'paid' | 'expired' | 'failed' | 'quarantined'

export interface Expected {
  readonly id: string
  readonly amountMinor: number
  readonly currency: string
  readonly live: boolean
  readonly status: PaymentState
}

export interface Judgement {
  readonly status: Exclude<PaymentState, 'opening' | 'open'>
  readonly reason?: string
}

/** Paid and quarantined are the end: whatever comes later, or late, changes neither. */
export const mayBecome: Readonly<Record<Judgement['status'], readonly PaymentState[]>> = {
  paid: ['opening', 'open', 'expired', 'failed'],
  quarantined: ['opening', 'open', 'expired', 'failed'],
  expired: ['open'],
  failed: ['open'],
}

/** Undefined: it stays as it is. */
export function judged(expected: Expected, standing: Standing): Judgement | undefined {
  if (standing.state === 'open') return undefined
  const wrong = mismatch(expected, standing)
  if (wrong !== undefined) {
    // Somebody else's money, or less of it, must not pay for this; what is not paid is nobody's matter.
    return standing.state === 'paid' ? { status: 'quarantined', reason: wrong } : undefined
  }
  return { status: standing.state }
}

function mismatch(expected: Expected, standing: Standing): string | undefined {
  if (standing.paymentId !== expected.id) return 'it belongs to another payment'
  if (standing.currency !== expected.currency) return `its currency is ${standing.currency}, not ${expected.currency}`
  if (standing.amountMinor !== expected.amountMinor)
    return `its amount is ${standing.amountMinor}, not ${expected.amountMinor}`
  if (standing.live !== expected.live)
    return standing.live ? 'it is real money, not a test' : 'it is a test, not real money'
  return undefined
}
