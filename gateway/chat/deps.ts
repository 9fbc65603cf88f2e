// What the text path needs of others.

import type { Db } from 'mongodb'
import type { Agents } from '../agents/agents.ts'
import type { TextModels } from '../engines/engines.ts'
import type { Executions } from '../executions/executions.ts'
import type { Identity } from '../identity/identity.ts'
import type { Clock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import type { Log } from '../platform/log.ts'
import type { Channel } from '../protocol/turn.ts'
import type { Tenants } from '../tenants/tenants.ts'
import type { Tools } from '../tools/tools.ts'
import type { Transcript } from '../transcript/transcript.ts'
import type { Usage } from '../usage/usage.ts'
import type { InboundStore } from './inbound-store.ts'
import type { Lines } from './lines.ts'
import type { OnStep } from './trace.ts'

/** A reply on its way out through the provider that its message came from. */
export interface OutboundReply {
  readonly tenantId: TenantId
  readonly agentId: string
  readonly channel: Channel
  readonly conversationId: string
  readonly contactId: string | undefined
  /** As the message named its sender: where the reply goes. */
  readonly to: {
    readonly externalId?: string | undefined
    readonly phone?: string | undefined
    readonly email?: string | undefined
  }
  readonly threadExternalId: string | undefined
  readonly text: string
  /** The same for every attempt to send this reply: the provider's idempotency key. */
  readonly key: string
}

/**
 * Sends the replies of one channel. Called again, with the same key, after a crash between sending and writing that down: what
 * a provider without idempotency keys then does cannot be made exact here. Throws what may pass: it is tried again.
 */
export interface ReplyRoute {
  send(reply: OutboundReply): Promise<void>
}

export interface ChatDeps {
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
  /** Names this process in leases and holds. */
  readonly nodeId: string
  readonly tenants: Pick<Tenants, 'byId'>
  readonly agents: Agents
  readonly identity: Pick<Identity, 'contact'>
  readonly transcript: Transcript
  readonly usage: Usage
  readonly tools: Pick<Tools, 'brief' | 'run'>
  readonly models: TextModels
  readonly executions: Executions
  /** Of our own papers, what belongs to a message; for agents that look into them. */
  readonly systemFor?: ((text: string) => Promise<string | undefined>) | undefined
  /** Of channels whose replies leave through a provider. Others are answered in the response itself. */
  readonly routes: ReadonlyMap<Channel, ReplyRoute>
  readonly onStep?: OnStep | undefined
}

export interface Inner extends ChatDeps {
  readonly store: InboundStore
  readonly lines: Lines
}
