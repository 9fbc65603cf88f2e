// What the chat's routes answer with.

import { z } from 'zod'
import { type ChatReplyView, stepNames } from '../protocol/chat.ts'
import { citationView, shownVisual } from '../transcript/views.ts'

export const chatReply = z
  .strictObject({
    conversationId: z.string(),
    messageId: z.string().describe('Send the same one again to get the same reply, without a second charge.'),
    turnId: z.string().describe('Of the agent’s turn; empty where a person answers.'),
    text: z.string(),
    visuals: z.array(shownVisual).describe('What the agent shows, each id as it is in the end.'),
    finish: z.enum(['stop', 'length', 'content_filter', 'tool_calls', 'handed_off']),
    usage: z.strictObject({ inputTokens: z.int(), cachedTokens: z.int(), outputTokens: z.int() }),
    creditsMicro: z.int().describe('Charged, in micro-credits: a million are one credit.'),
    model: z.string(),
    citations: z.array(citationView).describe('What its look-ups gave the agent to answer from.'),
    delegations: z.array(
      z.strictObject({
        ...{ from: z.string(), to: z.string(), name: z.string(), intent: z.string() },
        depth: z.int(),
      }),
    ),
    steps: z.array(
      z.strictObject({
        name: z.enum(stepNames),
        ms: z.number(),
        outcome: z.enum(['ok', 'failed', 'skipped']),
        code: z.string().exactOptional(),
      }),
    ),
  })
  .meta({ id: 'ChatReply' }) satisfies z.ZodType<ChatReplyView>
