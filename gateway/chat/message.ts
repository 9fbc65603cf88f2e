// What comes in, what is told meanwhile and what goes out: the words of chat's door.

import type { EngineTool, Message } from '../engines/engines.ts'
import type { AuthContext } from '../platform/access.ts'
import type { ChatFinish, ChatStep, ChatUsage, Delegation, StepName } from '../protocol/chat.ts'
import type { Citation } from '../protocol/citation.ts'
import type { Channel } from '../protocol/turn.ts'
import type { ShownVisual } from '../protocol/visuals/visual.ts'
import type { Outcome } from '../tools/tools.ts'
import type { Card } from './cards.ts'

export type { ChatFinish, ChatStep, ChatUsage, Delegation, StepName } from '../protocol/chat.ts'

/** Whoever wrote. The first that is given decides: contact, phone, e-mail, visitor, id in the channel. */
export interface Sender {
  readonly contactId?: string | undefined
  readonly visitorId?: string | undefined
  readonly email?: string | undefined
  /** As people write it; taken where it is a number with its country. */
  readonly phone?: string | undefined
  /** Of the channel's provider, e.g. a Telegram user's id. */
  readonly externalId?: string | undefined
  /** Said by the tenant's own backend or by a channel's signed webhook, not by a page. */
  readonly vouched: boolean
}

export interface InboundMessage {
  readonly channel: Channel
  readonly agentId: string
  readonly text: string
  readonly auth: AuthContext
  /** Of the credential: rates are counted by it. */
  readonly keyId: string
  readonly ip: string
  /**
   * Makes it once: the same id in the same conversation (or of the same sender, where none is named) gets the stored reply and
   * costs nothing; one that is being answered is waited for. Missing: every message is a new one.
   */
  readonly messageId?: string | undefined
  readonly sender: Sender
  /** A conversation by its id, or by the caller's own: found or made. Missing: the contact's open one with the agent. */
  readonly thread?: { readonly id?: string | undefined; readonly externalId?: string | undefined } | undefined
  /** Stateless doors: the client's own history, oldest first, instead of the stored one. */
  readonly history?: readonly Message[] | undefined
  /** Tools the caller runs itself: their calls are in the reply. Only where the agent lets its owner's backend bring tools. */
  readonly clientTools?: readonly EngineTool[] | undefined
  readonly toolChoice?: 'auto' | 'none' | 'required' | undefined
  /** After the agent's own prompt. Only from the tenant's own backend. */
  readonly instructions?: string | undefined
  /** Instead of the agent's own. */
  readonly temperature?: number | undefined
  readonly maxTokens?: number | undefined
}

/** What came of a call that waited for a person. */
export interface News {
  readonly agentId: string
  readonly channel: Channel
  readonly conversationId: string
  readonly contactId?: string | undefined
  /** The inbound message that asked for the call, where one did: what is told goes where its reply went. */
  readonly inboundId?: string | undefined
  readonly outcome: Outcome
}

/** In order. `text` deltas of all the agent says, words before tool calls too; the reply's text is their sum. */
export type ChatEvent =
  /** Once the message is stored for good and there is credit for it: from now on it is answered, whoever waits. */
  | { readonly type: 'accepted'; readonly messageId: string; readonly conversationId: string }
  /** A step begins. */
  | { readonly type: 'step'; readonly name: StepName }
  /** Of an agent that passes messages on: what it took the message for, and whose matter it is. */
  | {
      readonly type: 'intent'
      readonly intent: string
      /** Slug; null: it answers by itself. */
      readonly agent: string | null
      readonly certainty: number
      readonly by: 'model' | 'words'
    }
  | ({ readonly type: 'delegation' } & Delegation)
  | { readonly type: 'text'; readonly delta: string }
  | { readonly type: 'toolCall'; readonly callId: string; readonly name: string; readonly arguments: string }
  /** What a tool's list shows. */
  | { readonly type: 'cards'; readonly callId: string; readonly cards: readonly Card[] }
  /** What the agent shows. */
  | { readonly type: 'visual'; readonly callId: string; readonly visual: ShownVisual }
  | {
      readonly type: 'toolResult'
      readonly callId: string
      readonly name: string
      readonly output: string
      readonly ok: boolean
      /** `waiting`: for a person; the outcome is told later. */
      readonly is?: 'waiting' | 'unknown'
    }

/** Of a tool that the caller brought, to be run by it: the result comes with its next message's `history`. */
export interface ClientCall {
  readonly callId: string
  readonly name: string
  readonly arguments: string
}

export interface ChatReply {
  readonly conversationId: string
  /** The message that is answered: the caller's own id, or the one it was given. */
  readonly messageId: string
  /** Of the agent's turn; empty where there is none (handed off). */
  readonly turnId: string
  readonly text: string
  readonly toolCalls: readonly ClientCall[]
  /** What the agent shows, each id as it is in the end. */
  readonly visuals: readonly ShownVisual[]
  readonly finish: ChatFinish
  readonly usage: ChatUsage
  /** What was charged, tools included. */
  readonly creditsMicro: number
  /** `provider/model`; empty where none was asked. */
  readonly model: string
  /** What its look-ups gave the agent to answer from. */
  readonly citations: readonly Citation[]
  /** Whom the message was passed on to, in order. Empty: the agent answered by itself. */
  readonly delegations: readonly Delegation[]
  readonly steps: readonly ChatStep[]
}
