// Turns as messages: what the API shows of a conversation, and what it takes. Pure.

import type { MessageView } from '../protocol/chat.ts'
import type { Turn } from '../protocol/turn.ts'

export function messageView(turn: Turn): MessageView {
  const { id, role, text, tool, toolCalls = [], usage, channel, voice, createdAt } = turn
  return {
    id,
    role: role === 'agent' ? 'assistant' : role,
    content: role === 'tool' ? (tool?.output ?? '') : text,
    toolCalls: toolCalls.map((call) => ({ id: call.callId, name: call.name, arguments: call.arguments })),
    toolCallId: tool?.callId ?? null,
    tokensUsed: (usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0),
    costUsdMicro: usage === undefined ? 0 : usage.costUsdMicro,
    ...{ channel, voice, createdAt },
  }
}
