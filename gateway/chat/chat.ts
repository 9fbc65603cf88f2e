// The text path: one inbound message of any channel becomes one reply and one charge. Owns the thirteen steps and the inbound
// messages; knows no channel's protocol and no provider of models.

import type { TenantId } from '../platform/ids.ts'
import type { ChatEvent, ChatReply, InboundMessage } from './message.ts'

export type {
  ChatEvent,
  ChatFinish,
  ChatReply,
  ChatStep,
  ChatUsage,
  ClientCall,
  InboundMessage,
  Sender,
  StepName,
} from './message.ts'

export interface TenantChat {
  /**
   * Resolves with the reply once it is stored and charged, whether anybody still listens to `on` or not: who goes away and
   * comes back with the same `messageId` gets it. Throws a Problem where a step refuses or fails; its code is in the trace.
   */
  process(message: InboundMessage, on?: (event: ChatEvent) => void): Promise<ChatReply>
}

/** Stateless doors (chat completions, responses), channels and the API all come in here. */
export interface Chat {
  of(tenantId: TenantId): TenantChat
}
