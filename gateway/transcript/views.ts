// A turn as it is sent.

import { z } from 'zod'
import type { ConversationView, ConversationWithMessages, MessageView } from '../protocol/chat.ts'
import type { Citation } from '../protocol/citation.ts'
import { channels, type Turn, toolStates } from '../protocol/turn.ts'
import type { ShownVisual } from '../protocol/visuals/visual.ts'

const ms = z.number().exactOptional()

const latency = z.strictObject({
  endpointingMs: ms,
  sttMs: ms,
  modelMs: ms,
  toolsMs: ms,
  ttsMs: ms,
  transportMs: ms,
})

const turnUsage = z.strictObject({
  inputTokens: z.int(),
  cachedTokens: z.int().describe('A part of the input.'),
  outputTokens: z.int(),
  costUsdMicro: z.int().nullable().describe('Micro-dollars; null: not known.'),
  creditsMicro: z.int().describe('Micro-credits: a million are one credit.'),
})

export const citationView = z
  .strictObject({
    n: z.int().describe('As the text marks it: `[1]`.'),
    marked: z.boolean().describe('The text refers to it.'),
    sourceId: z.string().nullable(),
    source: z.string().describe('Name of the source.'),
    title: z.string(),
    heading: z.string().exactOptional(),
    page: z.int().exactOptional(),
    url: z.string().exactOptional(),
  })
  .meta({ id: 'Citation' }) satisfies z.ZodType<Citation>

export const shownVisual = z
  .strictObject({
    id: z.string(),
    visual: z.string().describe('Its name: order_form, chart, …'),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'ShownVisual' }) satisfies z.ZodType<ShownVisual>

export const turnView = z
  .strictObject({
    id: z.string(),
    sessionId: z.string(),
    conversationId: z.string(),
    channel: z.enum(channels),
    role: z.enum(['user', 'agent', 'tool', 'system']),
    state: z.enum(['partial', 'final', 'interrupted', 'failed']),
    seq: z.number().describe('Position in the conversation; never changes once given.'),
    text: z.string().describe('What the other side heard or read.'),
    unheard: z.string().exactOptional().describe('Generated but never heard, after an interruption.'),
    voice: z.boolean(),
    itemId: z.string(),
    tool: z
      .strictObject({
        name: z.string(),
        callId: z.string(),
        arguments: z.string(),
        output: z.string().exactOptional(),
        state: z.enum(toolStates).describe('`waiting`: for a person. `unknown`: nobody knows whether it was done.'),
      })
      .exactOptional(),
    visual: shownVisual
      .exactOptional()
      .describe('What was shown with it, or changed: each id is drawn once, as last told.'),
    toolCalls: z
      .array(z.strictObject({ callId: z.string(), name: z.string(), arguments: z.string() }))
      .exactOptional()
      .describe('Of an answer in writing: the tools it asked for.'),
    citations: z.array(citationView).exactOptional().describe('What its look-ups gave the agent to answer from.'),
    usage: turnUsage.exactOptional().describe('Of an answer in writing: what it took.'),
    audio: z.strictObject({ sentMs: z.number(), playedMs: z.number() }).exactOptional(),
    latencyMs: ms,
    latency: latency.exactOptional(),
    createdAt: z.iso.datetime().describe('When speech began.'),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Turn' }) satisfies z.ZodType<Turn>

const at = z.iso.datetime()

export const messageReply = z
  .strictObject({
    id: z.string(),
    role: z.enum(['system', 'user', 'assistant', 'tool']),
    content: z.string(),
    toolCalls: z.array(z.strictObject({ id: z.string(), name: z.string(), arguments: z.string() })),
    toolCallId: z.string().nullable().describe('Of a tool’s result: the call it answers.'),
    channel: z.enum(channels),
    voice: z.boolean(),
    tokensUsed: z.int(),
    costUsdMicro: z.int().nullable().describe('Micro-dollars; null: not known.'),
    createdAt: at,
  })
  .meta({ id: 'Message' }) satisfies z.ZodType<MessageView>

const conversation = {
  id: z.string(),
  agentId: z.string(),
  contactId: z.string().nullable(),
  channel: z.enum(channels).describe('Where it began.'),
  externalId: z.string().nullable(),
  status: z.enum(['active', 'closed', 'handed_off']),
  metadata: z.record(z.string(), z.unknown()),
  createdAt: at,
  updatedAt: at,
  messageCount: z.int(),
  tokensUsed: z.int().describe('Of the answers in writing.'),
  costUsdMicro: z.int().describe('Micro-dollars, as far as known.'),
  creditsMicro: z.int().describe('Micro-credits: a million are one credit.'),
}

export const conversationReply = z
  .strictObject(conversation)
  .meta({ id: 'Conversation' }) satisfies z.ZodType<ConversationView>

export const conversationWithMessages = z
  .strictObject({ ...conversation, messages: z.array(messageReply) })
  .meta({ id: 'ConversationWithMessages' }) satisfies z.ZodType<ConversationWithMessages>
