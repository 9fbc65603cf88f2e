// What each plan may do, as data. Rates are per tenant unless said.

export type Plan = 'free' | 'pro' | 'agency' | 'enterprise'

export interface RateLimit {
  /** Tokens that come back per minute, one at a time. */
  readonly perMinute: number
  readonly burst: number
}

export interface PlanLimits {
  /**
   * What the tenant and each of its keys may do; null: unlimited. Session starts and requests are counted apart, so that
   * whoever reads reports keeps no visitor out.
   */
  readonly rate: (RateLimit & { readonly perDay: number }) | null
  /** From one visitor's network (IPv4 address, IPv6 /64), so that one visitor cannot spend the tenant's. */
  readonly visitor: RateLimit
  /** Sessions at once. */
  readonly sessions: number
}

export const planLimits: Readonly<Record<Plan, PlanLimits>> = {
  free: {
    rate: { perMinute: 30, burst: 60, perDay: 1_000 },
    visitor: { perMinute: 30, burst: 60 },
    sessions: 5,
  },
  pro: {
    rate: { perMinute: 60, burst: 120, perDay: 5_000 },
    visitor: { perMinute: 30, burst: 60 },
    sessions: 50,
  },
  agency: {
    rate: { perMinute: 300, burst: 600, perDay: 100_000 },
    visitor: { perMinute: 30, burst: 60 },
    sessions: 100,
  },
  // 200 is the ledger's cap on holds per account: a higher figure here could not be kept.
  enterprise: { rate: null, visitor: { perMinute: 30, burst: 60 }, sessions: 200 },
}
