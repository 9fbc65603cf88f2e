// One inbound message as it is kept until it is answered, charged and sent: enough for any process to go on with it.

import type { Call, EngineTool, Message } from '../engines/engines.ts'
import type { Actor } from '../platform/access.ts'
import { idOf, newId, type TenantId } from '../platform/ids.ts'
import type { ProblemCode } from '../protocol/codes.ts'
import type { Channel } from '../protocol/turn.ts'
import type { Outcome, ToolOutput } from '../tools/tools.ts'
import type { Action, Metered, PieceCharged, Reservation } from '../usage/usage.ts'
import type {
  ChatFinish,
  ChatReply,
  ChatStep,
  ChatUsage,
  ClientCall,
  Delegation,
  InboundMessage,
  News,
  Sender,
} from './message.ts'

/** What was asked, without the caller's live rights. */
export interface Asked {
  readonly text: string
  /** The tenant's own backend or people, a channel's webhook: not a page's visitor. */
  readonly trusted: boolean
  readonly actor: Actor
  readonly keyId: string
  readonly ip: string
  readonly sender: Sender
  readonly thread?: InboundMessage['thread']
  readonly history?: readonly Message[] | undefined
  readonly clientTools?: readonly EngineTool[] | undefined
  readonly toolChoice?: InboundMessage['toolChoice']
  readonly instructions?: string | undefined
  readonly temperature?: number | undefined
  readonly maxTokens?: number | undefined
  /** Nobody asked: a call that waited for a person has ended, and the other side is told. */
  readonly outcome?: Outcome | undefined
}

/** One tool call of an answer, with its result once there is one. */
export interface RanCall extends ToolOutput {
  readonly call: Call
}

/** One answer of the model that asked for tools. */
export interface Round {
  readonly text: string
  /** Before any of them runs: a process that goes on asks for the same results, not for others. */
  readonly calls: readonly Call[]
  /** Micro-credits reserved for them; null: there was no credit, none of them runs. */
  readonly reserved: number | null
}

/** How far the model is. Stored before each round of tools. */
export interface Progress {
  readonly rounds: readonly Round[]
  readonly ran: readonly RanCall[]
  readonly usage: ChatUsage
  /** Undefined: a provider did not tell all. */
  readonly used: readonly Metered[]
  readonly model: string
}

export interface Answer extends Progress {
  /** After the last round. */
  readonly text: string
  readonly finish: ChatFinish
  readonly toolCalls: readonly ClientCall[]
  readonly actions: readonly Action[]
  /** Position of the first of its turns. */
  readonly seq: number
  readonly at: string
}

export interface Inbound {
  readonly id: string
  readonly tenantId: TenantId
  readonly agentId: string
  readonly channel: Channel
  readonly messageId: string
  readonly asked: Asked
  readonly state: 'open' | 'done' | 'failed'
  /** Grows with each change of owner. */
  readonly epoch: number
  /** Owners so far, since it was last asked for. */
  readonly attempts: number
  /** Reservations so far that were given back. */
  readonly round: number
  readonly receivedAt: string
  readonly conversationId?: string
  readonly contactId?: string
  /** Position of the person's turn. */
  readonly seq?: number
  readonly reservation?: Reservation
  readonly delegations?: readonly Delegation[]
  readonly progress?: Progress
  readonly answer?: Answer
  readonly charged?: PieceCharged
  readonly reply?: ChatReply
  readonly steps: readonly ChatStep[]
  readonly failure?: {
    readonly code: ProblemCode
    readonly message: string
    readonly retryAfterMs?: number | undefined
  }
}

/** Where a message id is unique: in the named conversation, or of whoever is known to have sent it. */
function scopeOf({ thread, sender, auth, channel, keyId }: InboundMessage): string {
  if (thread?.id !== undefined) return `thread:${thread.id}`
  if (thread?.externalId !== undefined) return `external:${channel}:${thread.externalId}`
  const { contactId, phone, email, visitorId, externalId } = sender
  const known = [contactId, phone, email, visitorId, externalId].find((each) => each !== undefined)
  return known === undefined ? `${auth.actor.kind}:${keyId}` : `${channel}:${known}`
}

export function identityOf(tenantId: TenantId, message: InboundMessage): { id: string; messageId: string } {
  const messageId = message.messageId ?? newId('msg')
  return { id: idOf('msg', tenantId, message.agentId, scopeOf(message), messageId), messageId }
}

export function askedOf(message: InboundMessage): Asked {
  const { auth, text, keyId, ip, sender, thread, history, clientTools } = message
  const { toolChoice, instructions, temperature, maxTokens } = message
  return {
    ...{ text, keyId, ip, sender, thread, history, clientTools, toolChoice, instructions, temperature, maxTokens },
    actor: auth.actor,
    trusted: auth.actor.kind !== 'visitor',
  }
}

export const newsId = (tenantId: TenantId, { outcome }: News): string =>
  idOf('msg', tenantId, 'outcome', outcome.approvalId)

const gateway: Actor = { kind: 'system', id: 'system', name: 'Parley' }

/** As a message of nobody's that asks to be told: what is said goes where the reply of `before` went. */
export function askedOfNews({ conversationId, contactId, outcome }: News, before: Inbound | undefined): Asked {
  const { sender = { contactId, vouched: true }, thread } = before?.asked ?? {}
  return {
    ...{ text: '', trusted: true, actor: gateway, keyId: gateway.id, ip: '', toolChoice: 'none', outcome },
    instructions: outcome.instruction,
    sender: { ...sender, vouched: true },
    thread: { ...thread, id: conversationId },
  }
}

export const noUsage: ChatUsage = { inputTokens: 0, cachedTokens: 0, outputTokens: 0 }
export const noProgress: Progress = { rounds: [], ran: [], usage: noUsage, used: [], model: '' }

/** All that was said in one text, as it was streamed. */
export function wholeText({ rounds, text }: Pick<Answer, 'rounds' | 'text'>): string {
  return [...rounds.map((round) => round.text), text].reduce((said, next) => said + gap(said, next) + next, '')
}

/** Between words before tools and words after them. */
export function gap(said: string, next: string): string {
  return said === '' || next === '' || /\s$/.test(said) || /^\s/.test(next) ? '' : '\n\n'
}
