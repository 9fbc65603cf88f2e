// What each plan may do, as data. Rates are per tenant unless said.

export type Plan = 'free' | 'pro' | 'enterprise'

export interface RateLimit {
  /** Tokens that come back per minute, one at a time. */
  readonly perMinute: number
  readonly burst: number
}

export interface PlanLimits {
  /** Session starts of the tenant and of each of its keys; null: unlimited. */
  readonly starts: (RateLimit & { readonly perDay: number }) | null
  /** Session starts from one visitor's network (IPv4 address, IPv6 /64), so that one visitor cannot spend the tenant's. */
  readonly visitorStarts: RateLimit
  /** Sessions at once. */
  readonly sessions: number
}

export const planLimits: Readonly<Record<Plan, PlanLimits>> = {
  free: {
    starts: { perMinute: 30, burst: 60, perDay: 1_000 },
    visitorStarts: { perMinute: 30, burst: 60 },
    sessions: 5,
  },
  pro: {
    starts: { perMinute: 60, burst: 120, perDay: 5_000 },
    visitorStarts: { perMinute: 30, burst: 60 },
    sessions: 50,
  },
  // 200 is the ledger's cap on holds per account: a higher figure here could not be kept.
  enterprise: { starts: null, visitorStarts: { perMinute: 30, burst: 60 }, sessions: 200 },
}
