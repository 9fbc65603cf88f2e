// Bodies of the text path's API, as sent: replies, conversations and their messages.

import type { Citation } from './citation.ts'
import type { Channel } from './turn.ts'
import type { ShownVisual } from './visuals/visual.ts'

/** The steps of one inbound message, in their order, on every text channel. */
export const stepNames = [
  'load_config',
  'rate_limits',
  'session',
  'contact',
  'system_prompt',
  'history',
  'filter_tools',
  'credit_preflight',
  'model',
  'tool_calls',
  'save_messages',
  'deduct_credits',
  'route_reply',
] as const
export type StepName = (typeof stepNames)[number]

export interface ChatStep {
  readonly name: StepName
  readonly ms: number
  /** `skipped`: not reached after a failure, or without meaning for this message. */
  readonly outcome: 'ok' | 'failed' | 'skipped'
  /** Of a failure: the problem's code. */
  readonly code?: string
}

/** `handed_off`: a person answers; the message is stored. `tool_calls`: the caller's own tools are to be run. */
export type ChatFinish = 'stop' | 'length' | 'content_filter' | 'tool_calls' | 'handed_off'

/** Tokens of all the model's answers for one message; cached ones are a part of the input. */
export interface ChatUsage {
  readonly inputTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
}

/** A message that one agent passed on to another. */
export interface Delegation {
  /** Slugs. */
  readonly from: string
  readonly to: string
  /** The other agent's name. */
  readonly name: string
  readonly intent: string
  /** 1 for the first, 2 for one that is passed on again. */
  readonly depth: number
}

/** What POST /v1/chat and POST /v1/agents/:slug/chat answer; also the data of the `done` event of their streams. */
export interface ChatReplyView {
  readonly conversationId: string
  readonly messageId: string
  readonly turnId: string
  readonly text: string
  /** What the agent shows, each id as it is in the end. */
  readonly visuals: readonly ShownVisual[]
  readonly finish: ChatFinish
  readonly usage: ChatUsage
  readonly creditsMicro: number
  readonly model: string
  /** What the answer's look-ups gave it; `marked` ones stand in the text as `[n]`. */
  readonly citations: readonly Citation[]
  /** Whom the message was passed on to, in order. Empty: the agent answered by itself. */
  readonly delegations: readonly Delegation[]
  readonly steps: readonly ChatStep[]
}

export type ConversationStatus = 'active' | 'closed' | 'handed_off'

export interface ConversationStats {
  readonly messageCount: number
  /** Tokens of the written answers. What live sessions used is in their receipts. */
  readonly tokensUsed: number
  /** Micro-dollars, as far as known. */
  readonly costUsdMicro: number
  readonly creditsMicro: number
}

export interface ConversationView extends ConversationStats {
  readonly id: string
  readonly agentId: string
  readonly contactId: string | null
  readonly channel: Channel
  readonly externalId: string | null
  readonly status: ConversationStatus
  readonly metadata: Readonly<Record<string, unknown>>
  readonly createdAt: string
  readonly updatedAt: string
}

export interface MessageToolCall {
  readonly id: string
  readonly name: string
  /** JSON as the model wrote it. */
  readonly arguments: string
}

/** One message of a conversation, written or spoken. */
export interface MessageView {
  readonly id: string
  readonly role: 'system' | 'user' | 'assistant' | 'tool'
  readonly content: string
  readonly toolCalls: readonly MessageToolCall[]
  /** Of a tool's result: the call it answers. */
  readonly toolCallId: string | null
  readonly channel: Channel
  readonly voice: boolean
  readonly tokensUsed: number
  readonly costUsdMicro: number | null
  readonly createdAt: string
}

export interface ConversationWithMessages extends ConversationView {
  readonly messages: readonly MessageView[]
}

export interface ContactView {
  readonly id: string
  readonly name: string | null
  readonly email: string | null
  /** E.164. */
  readonly phone: string | null
  /** What was said and nobody vouched for: the person is not known by it. */
  readonly unverified: readonly ('email' | 'phone')[]
  readonly company: string | null
  readonly jobTitle: string | null
  readonly notes: string | null
  readonly tags: readonly string[]
  /** Where this person is known, e.g. `whatsapp`. */
  readonly channels: readonly string[]
  readonly createdAt: string
  readonly updatedAt: string
}
