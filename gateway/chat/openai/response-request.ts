// The body of POST /v1/responses.

import { z } from 'zod'
import type { Asking } from './completion-request.ts'
import { textIn } from './completion-request.ts'
import { formatField, formatIn } from './format.ts'
import { refuseWithoutEffect, unsupported, wrong } from './refusal.ts'
import type { Said } from './said.ts'
import { choiceIn, toolChoice, toolList, toolsIn } from './tools.ts'

const content = z.union([z.string(), z.array(z.looseObject({ type: z.string() }))])
const message = z.object({
  type: z.literal('message').optional(),
  role: z.enum(['user', 'assistant', 'system', 'developer']),
  content,
})
const call = z.object({
  type: z.literal('function_call'),
  call_id: z.string().min(1),
  name: z.string().min(1),
  arguments: z.string(),
})
const output = z.object({ type: z.literal('function_call_output'), call_id: z.string().min(1), output: content })
const reference = z.object({ type: z.literal('item_reference').nullish(), id: z.string().min(1) })
/** Thoughts of a model that are not ours to read: an agent that goes on does without. */
const reasoning = z.looseObject({ type: z.literal('reasoning') })
const item = z.union([message, call, output, reasoning, reference])
export type InputItem = z.output<typeof item>

export const responseBody = z.looseObject({
  model: z.string().min(1).max(120),
  input: z.union([z.string(), z.array(z.unknown()).max(2_000)]),
  instructions: z.string().max(64_000).nullish(),
  previous_response_id: z.string().max(120).nullish(),
  conversation: z.union([z.string().max(256), z.object({ id: z.string().max(256) })]).nullish(),
  stream: z.boolean().nullish(),
  store: z.boolean().nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  max_output_tokens: z.int().min(1).max(200_000).nullish(),
  tools: toolList,
  tool_choice: toolChoice,
  text: z.looseObject({ format: formatField }).nullish(),
  user: z.string().max(256).nullish(),
  safety_identifier: z.string().max(256).nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
})
export type ResponseBody = z.output<typeof responseBody>

export interface InputDeps {
  /** An item of a response that was stored; undefined: nobody knows it. */
  readonly stored: (itemId: string) => Promise<Said | undefined>
}

/** `before`: of the responses that this one goes on from. */
export async function askingInResponse(
  body: ResponseBody,
  before: readonly Said[],
  deps: InputDeps,
): Promise<Asking & { readonly added: readonly Said[] }> {
  refuseWithoutEffect(body)
  const added = typeof body.input === 'string' ? [userText(body.input, 'input')] : await itemsIn(body.input, deps)
  const told: readonly Said[] =
    body.instructions == null || body.instructions === ''
      ? []
      : [{ is: 'instructions', text: body.instructions, param: 'instructions' }]
  const { conversation } = body
  return {
    model: body.model,
    said: [...told, ...before, ...added],
    added,
    param: 'input',
    tools: toolsIn(body.tools, 'flat'),
    toolChoice: choiceIn(body.tool_choice),
    format: formatIn(body.text?.format, 'text.format'),
    temperature: body.temperature ?? undefined,
    maxTokens: body.max_output_tokens ?? undefined,
    user: body.user ?? body.safety_identifier ?? undefined,
    thread: (typeof conversation === 'string' ? conversation : conversation?.id) ?? body.metadata?.thread_id,
  }
}

async function itemsIn(items: readonly unknown[], deps: InputDeps): Promise<readonly Said[]> {
  const all: Said[] = []
  for (const [i, raw] of items.entries()) {
    const param = `input[${i}]`
    const read = item.safeParse(raw)
    if (!read.success) throw unsupported(param, 'is no message, function call, result or reference')
    const said = await saidIn(read.data, param, deps)
    if (said !== undefined) addTo(all, said)
  }
  return all
}

/** Words and calls of one answer are several items there, and one message here. */
function addTo(all: Said[], said: Said): void {
  const last = all.at(-1)
  if (said.is === 'agent' && last?.is === 'agent') {
    const text = [last.text, said.text].filter((each) => each !== '').join('\n')
    all[all.length - 1] = { is: 'agent', text, calls: [...last.calls, ...said.calls] }
  } else all.push(said)
}

async function saidIn(each: InputItem, param: string, deps: InputDeps): Promise<Said | undefined> {
  if (each.type === 'reasoning') return undefined
  if ('role' in each) {
    const text = textIn(each.content, `${param}.content`)
    if (each.role === 'user') return userText(text, `${param}.content`)
    return each.role === 'assistant' ? { is: 'agent', text, calls: [] } : { is: 'instructions', text, param }
  }
  if (each.type === 'function_call') {
    const { call_id: id, name, arguments: args } = each
    return { is: 'agent', text: '', calls: [{ id, name, arguments: args }] }
  }
  if (each.type === 'function_call_output')
    return { is: 'output', callId: each.call_id, output: textIn(each.output, `${param}.output`), param }
  const found = await deps.stored(each.id)
  if (found === undefined) throw wrong(param, 'Nobody knows this item')
  return found
}

function userText(text: string, param: string): Said {
  if (text.trim() === '') throw wrong(param, 'The message is empty')
  return { is: 'user', text }
}
