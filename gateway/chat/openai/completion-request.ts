// The body of POST /v1/chat/completions.

import { z } from 'zod'
import type { EngineTool } from '../../engines/engines.ts'
import { type Format, formatField, formatIn } from './format.ts'
import { refuseWithoutEffect, unsupported, wrong } from './refusal.ts'
import type { Said } from './said.ts'
import { choiceIn, toolChoice, toolList, toolsIn } from './tools.ts'

const content = z.union([z.string(), z.array(z.looseObject({ type: z.string() })), z.null()]).optional()
const call = z.object({
  id: z.string().min(1),
  type: z.literal('function').optional(),
  function: z.object({ name: z.string().min(1), arguments: z.string() }),
})
const message = z.discriminatedUnion('role', [
  z.object({ role: z.enum(['system', 'developer']), content }),
  z.object({ role: z.literal('user'), content }),
  z.object({
    role: z.literal('assistant'),
    content,
    refusal: z.string().nullish(),
    tool_calls: z.array(call).nullish(),
  }),
  z.object({ role: z.literal('tool'), content, tool_call_id: z.string().min(1) }),
])

const limit = z.int().min(1).max(200_000).nullish()

/** Fields that are not named change nothing in the answer: caching, tiers, hints. Those that would are refused one by one. */
export const completionBody = z.looseObject({
  model: z.string().min(1).max(120),
  messages: z.array(message).min(1).max(2_000),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  max_tokens: limit,
  max_completion_tokens: limit,
  tools: toolList,
  tool_choice: toolChoice,
  response_format: formatField,
  user: z.string().max(256).nullish(),
  safety_identifier: z.string().max(256).nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
})
export type CompletionBody = z.output<typeof completionBody>

/** What both APIs come to. */
export interface Asking {
  readonly model: string
  readonly said: readonly Said[]
  /** Names the list of messages in errors. */
  readonly param: string
  readonly tools: readonly EngineTool[]
  readonly toolChoice: 'auto' | 'none' | 'required' | undefined
  readonly format: Format
  readonly temperature: number | undefined
  readonly maxTokens: number | undefined
  /** The client's own name for the person. */
  readonly user: string | undefined
  /** The client's own name for the conversation. */
  readonly thread: string | undefined
}

export function askingIn(body: CompletionBody): Asking {
  refuseWithoutEffect(body)
  return {
    model: body.model,
    said: body.messages.map(saidIn),
    param: 'messages',
    tools: toolsIn(body.tools, 'nested'),
    toolChoice: choiceIn(body.tool_choice),
    format: formatIn(body.response_format, 'response_format'),
    temperature: body.temperature ?? undefined,
    maxTokens: body.max_completion_tokens ?? body.max_tokens ?? undefined,
    user: body.user ?? body.safety_identifier ?? undefined,
    thread: body.metadata?.thread_id ?? body.metadata?.conversation,
  }
}

function saidIn(each: z.output<typeof message>, i: number): Said {
  const param = `messages[${i}]`
  const text = textIn(each.content, `${param}.content`)
  if (each.role === 'system' || each.role === 'developer') return { is: 'instructions', text, param }
  if (each.role === 'tool') return { is: 'output', callId: each.tool_call_id, output: text, param }
  if (each.role === 'assistant') {
    const calls = (each.tool_calls ?? []).map(({ id, function: called }) => ({ id, ...called }))
    return { is: 'agent', text: `${text}${each.refusal ?? ''}`, calls }
  }
  if (text.trim() === '') throw wrong(`${param}.content`, 'The message is empty')
  return { is: 'user', text }
}

const textPart = z.object({ text: z.string() })

/** Of a text or of parts of it; pictures, sound and files are no text. */
export function textIn(given: z.output<typeof content>, param: string): string {
  if (typeof given === 'string') return given
  return (given ?? [])
    .map((part, i) => {
      const read = textPart.safeParse(part)
      if (!read.success) throw unsupported(`${param}[${i}]`, `is of type ${part.type}: text is supported`)
      return read.data.text
    })
    .join('\n')
}
