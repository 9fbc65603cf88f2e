// What it takes to open a session or to get one back, and what the opener gets.

import type { Db } from 'mongodb'
import type { Brief } from '../agents/agents.ts'
import type { EngineChoice, EngineTool, OpenSteady, SteadyOptions } from '../engines/engines.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Actor } from '../platform/access.ts'
import type { Bus } from '../platform/bus.ts'
import type { Clock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import type { Log } from '../platform/log.ts'
import type { EndReason } from '../protocol/realtime.ts'
import type { Channel, Turn } from '../protocol/turn.ts'
import type { Tools } from '../tools/tools.ts'
import type { Transcript } from '../transcript/transcript.ts'
import type { AdmitRequest, Usage } from '../usage/usage.ts'
import type { Leg, LegPort } from './leg.ts'

export interface OpenRequest {
  readonly tenantId: TenantId
  readonly plan: AdmitRequest['plan']
  readonly brief: Brief
  /** The agent as it was at a version: a session that goes on elsewhere goes on as it was begun. */
  readonly briefAt?: (version: number) => Promise<Brief | undefined>
  readonly contactId: string
  /** Whose rights a tool may have. Missing: the contact's. */
  readonly caller?: Actor
  readonly channel: Channel
  readonly keyId: string
  /** The key that signed the visitor's token, where there is one: revoking it ends the session. */
  readonly signingKeyId?: string
  readonly ip: string
  readonly leg: Leg
  /** Tools the client brings from the start: their calls go to it. */
  readonly clientTools?: readonly EngineTool[]
  /** What the peer can take at first; `voice` switches it. */
  readonly outputModality: 'audio' | 'text'
  /** Sound goes past us, until it is lost. Only where the agent's first engine has that. */
  readonly direct?: DirectRequest
}

/** The caller's browser talks with the engine's provider itself. */
export type DirectRequest = NonNullable<SteadyOptions['direct']>

export interface ResumeRequest extends OpenRequest {
  readonly sessionId: string
  readonly token: string
  /** Last frame the client took. */
  readonly lastSeq: number
  /** The connection that asks is closed: what it asks for is not to be taken from one that lives. */
  readonly isGone: () => boolean
}

export interface Opened {
  readonly sessionId: string
  readonly conversationId: string
  readonly history: readonly Turn[]
  readonly engine: { readonly kind: string; readonly model: string; readonly demo: boolean }
  readonly epoch: number
  /** The client's way back; missing for a leg that cannot return. */
  readonly resumeToken?: string
  /**
   * The session comes from another process. `lastSeq`: the leg has what the client missed since. Otherwise there is a gap,
   * and `history` is the truth.
   */
  readonly resumed?: { readonly voice: boolean; readonly lastSeq?: number }
  /** Tools that run here: their calls are not the client's business. */
  readonly serverTools: readonly EngineTool[]
  readonly port: LegPort
  /** Connects the engine; call when the leg has greeted its peer. */
  start(): void
}

/** `here`: the session lives in this process, its leg is to be given the new connection. */
export type Resumed =
  | { readonly is: 'here'; readonly resumeToken: string }
  | { readonly is: 'taken'; readonly opened: Opened }

export interface SessionsDeps {
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
  /** Names this process in leases and holds. */
  readonly nodeId: string
  readonly bus: Bus
  /** Listens to a channel of its own. Missing: nobody watches from another process. */
  readonly openBus?: (channel: string) => Bus
  readonly transcript: Transcript
  readonly usage: Usage
  readonly ledger: Ledger
  readonly tools: Tools
  /** The engine that serves this agent here and now, then those that stand in for it. */
  readonly enginesFor: (brief: Brief) => EngineChoice
  readonly openEngine: OpenSteady
  /** `${tenantId}:${keyId}` of those that may not go on. */
  readonly notAllowed: (
    pairs: readonly { tenantId: TenantId; keyId: string; signingKeyId?: string }[],
  ) => Promise<ReadonlySet<string>>
  /** `${tenantId}:${agentId}` of those that were paused or put away: their sessions end. */
  readonly notAnswering: (pairs: readonly { tenantId: TenantId; agentId: string }[]) => Promise<ReadonlySet<string>>
  /** Another process has an outcome for a session that is here. */
  readonly onOutcome: (tenantId: TenantId, approvalId: string) => void
  readonly emailHashes: (tenantId: TenantId, contactIds: readonly string[]) => Promise<ReadonlyMap<string, string>>
  /** Told once of every session that has ended, by whoever ended it. Must not throw. */
  readonly onEnded?: (ended: {
    readonly tenantId: TenantId
    readonly sessionId: string
    readonly reason: EndReason
  }) => void
  /** False: this process has no peer that could go on with its sessions (the in-process Redis). */
  readonly hasPeers: boolean
  /** How long clients are given to move to another process, and calls to end, when this one stops. */
  readonly drainMs: number
}
