// Whether this client may ask for this answer, and whether the engine can give it. Pure.

import type { AnswerField, Capabilities } from '../../engines/engines.ts'
import type { ResponseFields } from './client-event.ts'
import type { Refusal } from './refusal.ts'
import {
  forbiddenBy,
  isSame,
  mayOf,
  type Policy,
  type Present,
  type Right,
  toTool,
  unsupported,
} from './session-part.ts'

interface Asked {
  readonly param: string
  readonly right: Right
  /** Undefined: every engine can. */
  readonly needs?: AnswerField
}

/** Undefined: it may be asked. */
export function refusedRequest(
  response: ResponseFields,
  present: Present & { readonly outputFormat: string },
  policy: { readonly brief: Policy['brief']; readonly capabilities: Pick<Capabilities, 'answers' | 'dialect'> },
): Refusal | undefined {
  const asked = askedBy(response, present)
  const forbidden = asked.find(({ right }) => !mayOf(policy.brief, right))
  if (forbidden !== undefined) return forbiddenBy(forbidden.param)
  if (response.prompt != null) return unsupported('The prompt is the agent’s: use instructions.', 'response.prompt')
  if (response.tools?.some(({ type }) => type === 'mcp') === true)
    return unsupported('Tools of a server are given to the agent, not by its client.', 'response.tools')
  const format = response.audio?.output?.format?.type
  if (format !== undefined && format !== present.outputFormat)
    return unsupported('The format is that of the session.', 'response.audio.output.format')
  const { dialect, answers } = policy.capabilities
  if (dialect === 'openai-realtime-ga') return undefined
  return unable(response, asked, answers ?? [])
}

function unable(response: ResponseFields, asked: readonly Asked[], can: readonly AnswerField[]): Refusal | undefined {
  for (const name of ['parallel_tool_calls', 'reasoning'] as const) {
    const isDefault = response[name] == null || response[name] === true
    if (!isDefault) return unsupported("This agent's engine has no such setting.", `response.${name}`)
  }
  const first = asked.find(({ needs }) => needs !== undefined && !can.includes(needs))
  if (first !== undefined) return unsupported("This agent's engine cannot answer so.", first.param)
  if (typeof response.tool_choice === 'object')
    return unsupported("This agent's engine cannot be made to call one tool.", 'response.tool_choice')
  const isAside = response.conversation === 'none'
  if (!isAside && response.input !== undefined)
    return unsupported("This agent's engine answers the conversation, or an input outside of it.", 'response.input')
  if (isAside && response.output_modalities?.[0] !== 'text')
    return unsupported(
      "This agent's engine writes its answers outside of the conversation.",
      'response.output_modalities',
    )
  return undefined
}

/** What repeats the session asks for nothing: some clients do so with every request. */
function askedBy(response: ResponseFields, present: Present): readonly Asked[] {
  const { instructions, input, conversation, tools, tool_choice, max_output_tokens, output_modalities, audio } =
    response
  const { settings, modality } = present
  const voice = audio?.output?.voice
  const functions = tools?.flatMap((tool) => (tool.type === 'function' ? [toTool(tool)] : []))
  const asked: Asked[] = []
  const ask = (given: boolean, name: string, right: Right, needs?: AnswerField): void => {
    if (given) asked.push({ param: `response.${name}`, right, ...(needs === undefined ? {} : { needs }) })
  }
  const isOther = (value: unknown, now: unknown): boolean => value !== undefined && !isSame(value, now)
  ask(conversation === 'none', 'conversation', 'instructions', 'aside')
  ask(input !== undefined, 'input', 'instructions', 'input')
  ask(isOther(instructions, present.instructions ?? ''), 'instructions', 'instructions', 'instructions')
  ask(isOther(functions, present.tools), 'tools', 'tools', 'tools')
  ask(isOther(tool_choice, settings.toolChoice ?? 'auto'), 'tool_choice', 'tools', 'toolChoice')
  ask(isOther(response.parallel_tool_calls, present.native.parallel_tool_calls ?? true), 'parallel_tool_calls', 'tools')
  const limit = settings.maxOutputTokens ?? 'inf'
  ask(isOther(max_output_tokens, limit), 'max_output_tokens', 'instructions', 'maxOutputTokens')
  ask(response.reasoning != null, 'reasoning', 'instructions')
  ask(isOther(typeof voice === 'object' ? voice.id : voice, present.voice), 'audio.output.voice', 'voice', 'voice')
  ask(isOther(output_modalities?.[0], modality), 'output_modalities', 'outputModality')
  return asked
}
