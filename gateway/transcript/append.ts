// Messages that a program adds to a conversation, as turns: a tool's result answers a call that is there. Pure but for the look.

import { idOf } from '../platform/ids.ts'
import { Problem } from '../platform/problem.ts'
import type { MessageToolCall, MessageView } from '../protocol/chat.ts'
import type { Channel, Turn } from '../protocol/turn.ts'

export interface NewMessage {
  readonly role: MessageView['role']
  readonly content: string
  /** Of an assistant: tools it asks for. */
  readonly toolCalls?: readonly MessageToolCall[] | undefined
  /** Of a tool: the call it answers, which a message before it made. */
  readonly toolCallId?: string | undefined
}

/** Which calls a conversation's turns asked for, of these, and which have their output. */
export interface CallsOf {
  calls(
    conversationId: string,
    callIds: readonly string[],
  ): Promise<{
    readonly asked: ReadonlyMap<string, { readonly name: string; readonly arguments: string }>
    readonly answered: ReadonlySet<string>
  }>
}

interface Asked {
  readonly callId: string
  readonly name: string
  readonly arguments: string
}

/** The call that each tool's result in the batch answers: made before it, here or in what is stored, and not answered yet. */
export async function answersOf(
  turns: CallsOf,
  conversationId: string,
  messages: readonly NewMessage[],
): Promise<ReadonlyMap<NewMessage, Asked>> {
  const wanted = messages.flatMap(({ toolCallId }) => (toolCallId === undefined ? [] : [toolCallId]))
  const made = messages.flatMap(({ toolCalls }) => toolCalls ?? [])
  if (wanted.length + made.length === 0) return new Map()
  const known = await turns.calls(conversationId, [...wanted, ...made.map((call) => call.id)])
  const asked = new Map<string, Asked>([...known.asked].map(([callId, call]) => [callId, { ...call, callId }]))
  const answered = new Set(known.answered)
  const answers = new Map<NewMessage, Asked>()
  for (const [i, message] of messages.entries()) {
    const wrong = (field: string, text: string) =>
      new Problem('invalid', `Message ${i}: ${text}`, {
        issues: [{ path: `body.messages.${i}.${field}`, message: text }],
      })
    for (const { id: callId, ...call } of message.toolCalls ?? []) {
      if (message.role !== 'assistant') throw wrong('toolCalls', 'only an assistant asks for tools')
      if (asked.has(callId)) throw wrong('toolCalls', `the call ${callId} is there already`)
      asked.set(callId, { callId, ...call })
    }
    if ((message.role === 'tool') !== (message.toolCallId !== undefined))
      throw wrong('toolCallId', 'a tool’s result, and nothing else, names the call it answers')
    const call = asked.get(message.toolCallId ?? '')
    if (message.toolCallId === undefined) continue
    if (call === undefined) throw wrong('toolCallId', `no message before it made the call ${message.toolCallId}`)
    if (answered.has(call.callId)) throw wrong('toolCallId', `the call ${call.callId} has its result`)
    answered.add(call.callId)
    answers.set(message, call)
  }
  return answers
}

export function turnsOf(
  messages: readonly NewMessage[],
  on: {
    readonly conversationId: string
    readonly channel: Channel
    readonly answers: ReadonlyMap<NewMessage, Asked>
    /** Position of the first. */
    readonly seq: number
    readonly at: string
  },
): Turn[] {
  const { conversationId, channel, at } = on
  return messages.map((message, i) => {
    const { role, content, toolCalls = [] } = message
    const call = on.answers.get(message)
    const seq = on.seq + i
    const itemId = call?.callId ?? `${seq}`
    return {
      // One output per call: a second one would be the same turn.
      ...{ id: idOf('turn', conversationId, role, itemId), conversationId, sessionId: conversationId, itemId, seq },
      ...{ channel, state: 'final', voice: false, createdAt: at, updatedAt: at },
      role: role === 'assistant' ? 'agent' : role,
      text: call === undefined ? content : '',
      ...(call === undefined ? {} : { tool: { ...call, output: content, state: 'ok' } }),
      ...(toolCalls.length === 0
        ? {}
        : { toolCalls: toolCalls.map(({ id: callId, ...rest }) => ({ callId, ...rest })) }),
    }
  })
}
