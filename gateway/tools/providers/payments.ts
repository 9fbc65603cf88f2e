// The port of payments: a page on which somebody pays, and what the provider says of it afterwards. Amounts are integers in
// the currency's smallest unit.

export interface Order {
  /** Ours. The provider gives it back with everything it says of the payment. */
  readonly paymentId: string
  readonly tenantId: string
  readonly lines: readonly OrderLine[]
  readonly amountMinor: number
  /** ISO 4217, capitals. */
  readonly currency: string
  readonly email?: string | undefined
  /** Where the person comes back to. */
  readonly successUrl: string
  readonly cancelUrl: string
}

export interface OrderLine {
  readonly name: string
  readonly unitMinor: number
  readonly quantity: number
}

export type Opening =
  | { readonly is: 'opened'; readonly providerId: string; readonly url: string }
  | { readonly is: 'refused'; readonly why: string }
  /** Perhaps there is such a page now. Nobody has its address, so nobody can pay on it. */
  | { readonly is: 'unknown'; readonly why: string }

/** Of the object as the provider's API gives it, never of what a webhook says. */
export interface Standing {
  readonly providerId: string
  readonly paymentId: string | undefined
  readonly state: 'open' | 'paid' | 'expired' | 'failed'
  /** Undefined: it does not say. */
  readonly amountMinor: number | undefined
  readonly currency: string | undefined
  /** False: it is play money. */
  readonly live: boolean
}

export type Found =
  | { readonly is: 'found'; readonly standing: Standing }
  | { readonly is: 'unreachable'; readonly why: string }

/** `ignored`: signed, and about something else. */
export type Hook =
  | { readonly is: 'about'; readonly eventId: string; readonly providerId: string; readonly approved: boolean }
  | { readonly is: 'ignored'; readonly eventId: string }
  | { readonly is: 'forged' }

export interface HookRequest {
  /** As they came. */
  readonly bytes: Uint8Array
  header(name: string): string | undefined
}

export type PaymentName = 'stripe' | 'paypal'

export interface PaymentProvider {
  readonly name: PaymentName
  /** What the keys are for: with test keys nobody pays. */
  readonly live: boolean
  /** The same key is the same page. */
  open(order: Order, on: { readonly key: string; readonly signal: AbortSignal }): Promise<Opening>
  find(providerId: string, signal: AbortSignal): Promise<Found>
  /** Takes the money that the person has agreed to, where that is a step of its own. The same key takes it once. */
  capture(providerId: string, on: { readonly key: string; readonly signal: AbortSignal }): Promise<Found>
}

export const paymentTimeoutMs = 4_000
