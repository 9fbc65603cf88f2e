// The text path: one inbound message of any channel becomes one reply and one charge. Owns the thirteen steps and the inbound
// messages; knows no channel's protocol and no provider of models.

import type { TenantId } from '../platform/ids.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import type { ChatDeps } from './deps.ts'
import { inboundSpec } from './inbound-store.ts'
import { lineSpec } from './line-store.ts'
import type { ChatEvent, ChatReply, InboundMessage, News } from './message.ts'
import { createProcessing, type SweepReport } from './processing.ts'

export type { ChatDeps, OutboundReply, ReplyRoute } from './deps.ts'
export type { ChatEvent, ChatReply, InboundMessage, News } from './message.ts'
export type { SweepReport } from './processing.ts'

export interface TenantChat {
  /**
   * Resolves with the reply once it is stored and charged, whether anybody still listens to `on` or not: who goes away and
   * comes back with the same `messageId` gets it. Throws a Problem where a step refuses or fails; its code is in the trace.
   */
  process(message: InboundMessage, on?: (event: ChatEvent) => void): Promise<ChatReply>
  /**
   * A call that waited for a person has ended: the agent says so in a turn of its own, once however often, in the line of the
   * conversation, on the channel's way out. Throws what may pass, `not_found` and `conflict` (closed).
   */
  tell(news: News): Promise<void>
}

/** Stateless doors (chat completions, responses), channels and the API all come in here. */
export interface Chat {
  of(tenantId: TenantId): TenantChat
  /** Goes on with messages whose process died, and with those that are to be tried again. Any number of processes may. */
  sweep(): Promise<SweepReport>
  /** Resolves when what is being answered here is, or after `timeoutMs`: another process goes on with the rest. */
  drain(timeoutMs: number): Promise<void>
}

export const chatCollections: readonly CollectionSpec[] = [inboundSpec, lineSpec]

export function createChat(deps: ChatDeps): Chat {
  const processing = createProcessing(deps)
  return {
    of: (tenantId) => ({
      process: (message, on) => processing.process(tenantId, message, on),
      tell: (news) => processing.tell(tenantId, news),
    }),
    sweep: () => processing.sweep(),
    drain: (timeoutMs) => processing.drain(timeoutMs),
  }
}
