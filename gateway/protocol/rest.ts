// Bodies of the HTTP API, as sent. The receiving side's schemas live in each slice's routes.ts.
// Money is integer micro-credits (1 credit = 1_000_000) in fields ending in Micro, US dollars in micro-dollars in …UsdMicro.

import type { AgentView } from './agents.ts'
import type { ApprovalView } from './approvals.ts'
import type { EndReason } from './realtime.ts'
import type { Channel, Turn } from './turn.ts'

export type { AgentView } from './agents.ts'

export interface Page<T> {
  readonly items: readonly T[]
  /** Pass as `cursor` for the next page; null at the end. */
  readonly next: string | null
}

export interface WidgetBootstrap {
  readonly token: string
  /** Seconds since epoch. */
  readonly expiresAt: number
  readonly agent: { readonly slug: string; readonly name: string }
  readonly brand: WidgetBrand
  readonly texts: WidgetTexts
  readonly voice: boolean
}
export interface WidgetBrand {
  readonly accent: string
  readonly title: string
  readonly logoUrl?: string
}
export interface WidgetTexts {
  readonly greeting: string
  readonly placeholder: string
  readonly consent: string
  readonly suggestions: readonly string[]
}

/** What a session's connection is made of. `direct`: WebRTC between the browser and the engine's provider. */
export type Transport = 'websocket' | 'webrtc' | 'livekit' | 'direct'

export type SessionState = 'opening' | 'live' | 'ending' | 'ended'

export interface SessionView {
  readonly id: string
  readonly tenantId: string
  readonly agent: {
    readonly id: string
    readonly slug: string
    readonly name: string
    /** Of its config. Missing: the session is older than versions. */
    readonly version?: number
  }
  readonly conversationId: string
  readonly contactId: string
  readonly channel: Channel
  readonly state: SessionState
  readonly endReason?: EndReason
  readonly engine: {
    readonly kind: string
    readonly model: string
    readonly demo: boolean
    /** Engines that come first in the agent's list and could not serve, with the reason. */
    readonly passedOver?: readonly { readonly kind: string; readonly reason: string }[]
  }
  /** Of the connection in use, or of the last one. Missing: the session is older than this field. */
  readonly transport?: Transport
  readonly startedAt: string
  readonly endedAt?: string
  readonly lastSeenAt: string
  readonly seconds: number
  readonly tokens: number
  readonly creditsMicro: number
  readonly costUsdMicro: number | null
  readonly turns: number
  readonly interruptions: number
  /** Median over the session's turns; null before the first answer. */
  readonly latencyMs: number | null
  readonly lastText: string
  /** `listening` | `thinking` | `speaking` | `tool`: what the live session is doing. */
  readonly activity: 'listening' | 'thinking' | 'speaking' | 'tool'
}

export interface ReceiptLine {
  readonly meter: string
  readonly quantity: number
  readonly unit: 'second' | 'token' | 'call' | 'character' | 'message'
  /** Micro-credits per 1_000_000 units, so that token prices stay integers. */
  readonly priceMicroPerMillion: number
  readonly amountMicro: number
}
export interface Receipt {
  readonly sessionId: string
  /** Of the latest settlement. */
  readonly holdId: string
  /** A meter stands twice when its price was not the same all the time. */
  readonly lines: readonly ReceiptLine[]
  /** Equals the sum of the lines and the sum of the charges. */
  readonly totalMicro: number
  /** Used but beyond the hold: paid by the operator of the gateway, never by the tenant. */
  readonly waivedMicro: number
  readonly costUsdMicro: number | null
  /** Of the latest charge. */
  readonly entryId: string
  readonly settledAt: string
  /** The ledger entries behind it, oldest first: a session that came back was settled more than once. */
  readonly charges: readonly { readonly entryId: string; readonly amountMicro: number; readonly at: string }[]
}

/** In the order in which credit is spent. */
export type CreditTier = 'daily' | 'monthly' | 'purchased'
export interface TierBalance {
  readonly postedMicro: number
  readonly heldMicro: number
  readonly availableMicro: number
  /** When the first credit of the tier ends; null when none does. */
  readonly nextExpiryAt: string | null
}
export interface CreditBalance {
  readonly postedMicro: number
  readonly heldMicro: number
  /** Never below zero, and zero while there is debt. */
  readonly availableMicro: number
  /** Owed after refunds of spent credit: paid by the next credit that comes in. */
  readonly debtMicro: number
  readonly tiers: Readonly<Record<CreditTier, TierBalance>>
  /** The entries do not give this balance: nothing new is spent until somebody has looked. */
  readonly breached: boolean
}
export interface CreditsView extends CreditBalance {
  readonly holds: readonly {
    readonly id: string
    readonly sessionId: string
    readonly amountMicro: number
    readonly usedMicro: number
  }[]
}
export interface EntryView {
  readonly id: string
  readonly kind: 'grant' | 'purchase' | 'settle' | 'deduct' | 'refund' | 'adjust' | 'expire' | 'debt' | 'repay'
  readonly amountMicro: number
  readonly balanceMicro: number
  /** How the amount falls on the tiers. */
  readonly tiers?: Readonly<Partial<Record<CreditTier, number>>>
  /** Change of what is owed. */
  readonly debtMicro?: number
  /** Of the credit given. */
  readonly expiresAt?: string
  readonly sessionId?: string
  readonly note: string
  readonly at: string
}

export interface UsageDay {
  readonly day: string
  readonly channel: Channel
  readonly agentId: string
  readonly sessions: number
  readonly seconds: number
  readonly tokens: number
  /** What is known of it. */
  readonly costUsdMicro: number
  /** Sessions whose provider cost is not (wholly) known: never counted as zero in silence. */
  readonly costUnknown: number
  readonly creditsMicro: number
}

/** Usage of one person over all their contacts and sessions; `emailHash` null for people without an e-mail. */
export interface UsageOfPerson {
  readonly emailHash: string | null
  readonly contactIds: readonly string[]
  readonly sessions: number
  readonly seconds: number
  readonly creditsMicro: number
}

export interface TenantView {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly status: 'active' | 'suspended'
  readonly plan: 'free' | 'pro' | 'agency' | 'enterprise'
  readonly origins: readonly string[]
  readonly brand: WidgetBrand
  readonly texts: WidgetTexts
  /** IANA name: where its days begin and end. */
  readonly timezone: string
  readonly allowedTools: Readonly<Record<'widget' | 'api' | 'console', readonly string[] | 'all'>>
  readonly deniedTools: readonly string[]
  readonly agents: readonly AgentView[]
}
export interface SiteKeyView {
  readonly id: string
  readonly key: string
  readonly label: string
  readonly agentSlug: string
  readonly status: 'active' | 'revoked'
  readonly createdAt: string
}
export interface ApiKeyView {
  readonly id: string
  readonly prefix: string
  readonly label: string
  readonly status: 'active' | 'revoked'
  /** What it may do; with a role, what it may do of that at most. */
  readonly scopes: readonly string[]
  readonly role: string | null
  /** Empty: it is bound to none. */
  readonly agentIds: readonly string[]
  readonly expiresAt: string | null
  readonly createdAt: string
  readonly lastUsedAt: string | null
}
export interface OperatorView {
  readonly id: string
  readonly name: string
  readonly tenants: readonly {
    readonly id: string
    readonly slug: string
    readonly name: string
    readonly role: string
    /** What the caller may do there, on something at least. */
    readonly abilities: readonly string[]
  }[]
  /** Sent back as `x-parley-csrf` with every state-changing call. */
  readonly csrf: string
}

/** Console live socket, gateway → console. */
export type ConsoleServerEvent =
  | { readonly type: 'sessions'; readonly sessions: readonly SessionView[] }
  | { readonly type: 'session'; readonly session: SessionView }
  | { readonly type: 'turns'; readonly sessionId: string; readonly turns: readonly Turn[] }
  | { readonly type: 'turn'; readonly sessionId: string; readonly turn: Turn }
  /** One that is new, or as it is now: for whoever may read approvals. */
  | { readonly type: 'approval'; readonly approval: Partial<ApprovalView> }
  | {
      readonly type: 'notice'
      readonly sessionId: string
      readonly code: string
      readonly text: string
      readonly at: string
    }
  | { readonly type: 'ping' }
/** Console live socket, console → gateway. */
export type ConsoleClientEvent =
  | { readonly type: 'watch'; readonly sessionId: string }
  | { readonly type: 'unwatch'; readonly sessionId: string }
  | { readonly type: 'pong' }
