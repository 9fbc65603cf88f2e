// Wire types of a tenant's records: events, executions, entity types, entities and their relations. Times are ISO 8601 in UTC.

import type { Page } from './rest.ts'
import type { Channel } from './turn.ts'

export type ActorType = 'user' | 'agent' | 'system' | 'webhook'

export interface EventActor {
  readonly kind: 'operator' | 'key' | 'visitor' | 'agent' | 'system' | 'webhook'
  readonly id: string
  readonly name: string
}

/** Of the JSON of one event's payload. */
export const eventPayloadBytes = 16 * 1024

/** One thing that happened. Never changed and never removed. */
export interface EventView {
  readonly id: string
  /** `noun.verb`, e.g. `entity.created`. */
  readonly type: string
  readonly schemaVersion: number
  /** Operators and visitors are users, an API key is a system. */
  readonly actorType: ActorType
  readonly actor: EventActor
  /** What it is about. Of an entity, `type` is the slug of its entity type. */
  readonly entity: { readonly type: string; readonly id: string } | null
  /** At most 16 KB of JSON; what belongs to an entity stands under `data`. */
  readonly payload: Readonly<Record<string, unknown>>
  readonly at: string
}

export type ExecutionStatus = 'completed' | 'failed' | 'cancelled'

export interface ExecutionStep {
  readonly name: string
  readonly ms: number
  readonly outcome: string
}

/** One run of an agent: what it took and how it went. */
export interface ExecutionView {
  readonly id: string
  readonly agentId: string
  readonly conversationId: string
  readonly sessionId: string | null
  readonly channel: Channel
  readonly model: string
  readonly provider: string
  readonly inputTokens: number
  /** Part of `inputTokens`. */
  readonly cachedTokens: number
  readonly outputTokens: number
  readonly latencyMs: number
  /** Micro-dollars; null when the price is not known. */
  readonly costUsdMicro: number | null
  readonly creditsMicro: number
  readonly status: ExecutionStatus
  readonly error: string | null
  readonly steps: readonly ExecutionStep[]
  readonly at: string
}

/** Sums over executions. */
export interface ExecutionSums {
  readonly count: number
  readonly failed: number
  readonly inputTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
  readonly latencyMs: number
  /** Of those whose price is known. */
  readonly costUsdMicro: number
  readonly creditsMicro: number
}
export interface ExecutionStats {
  readonly total: ExecutionSums
  readonly byAgent: readonly (ExecutionSums & { readonly agentId: string })[]
  readonly byModel: readonly (ExecutionSums & { readonly provider: string; readonly model: string })[]
  /** `YYYY-MM-DD` in UTC, oldest first. */
  readonly byDay: readonly (ExecutionSums & { readonly day: string })[]
}

export type EventPage = Page<EventView>
export type ExecutionPage = Page<ExecutionView>

/** What a tenant keeps records of. */
export interface EntityTypeView {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly description: string
  /** JSON Schema of an entity's `data`. */
  readonly schema: Readonly<Record<string, unknown>>
  /** Fields of the data that a search looks at; null: every text. */
  readonly searchFields: readonly string[] | null
  /** Field that names an entity to people. */
  readonly titleField: string | null
  /** Comes with the gateway: it can be neither changed nor removed. */
  readonly builtIn: boolean
  /** Grows with every change. */
  readonly version: number
  readonly createdAt: string | null
  readonly updatedAt: string | null
}

export interface EntityView {
  readonly id: string
  /** Slug of the entity type. */
  readonly type: string
  readonly slug: string
  readonly title: string | null
  readonly data: Readonly<Record<string, unknown>>
  /** Grows with every change of the entity or of its relations. */
  readonly rev: number
  /** Id of the actor who made it. */
  readonly createdBy: string | null
  readonly createdAt: string
  readonly updatedAt: string
}

export interface RelationView {
  readonly relation: string
  /** `out`: from the entity that was asked about; `in`: to it. */
  readonly direction: 'out' | 'in'
  readonly entity: Pick<EntityView, 'id' | 'type' | 'slug' | 'title'>
}
