// What a client's configuration comes to for one agent: what the session is opened with, or why it is not. Pure.

import type { Brief } from '../../agents/agents.ts'
import type { EngineTool } from '../../engines/engines.ts'
import { type AudioFormat, pcm24k } from './audio-format.ts'
import { type LiveError, liveError } from './live-error.ts'
import type { ResponsesSettings, SessionConfig } from './session-config.ts'
import { leastTokensOf } from './tokens.ts'

const instructionTokens = 16_384
const inputTokens = 8_192
/** What stock clients send for "your default": the agent has a voice of its own. */
const defaultVoice = 'marin'

/** Which side works behind the voice: the client's own backend, or the agent's tools here. */
export type Delegation =
  | { readonly type: 'client'; readonly tool: EngineTool }
  | { readonly type: 'responses'; readonly model: string; readonly instructions?: string }

export interface InputMessage {
  readonly role: 'developer' | 'user' | 'assistant'
  readonly text: string
}

export interface Plan {
  readonly format: AudioFormat
  /** With what the client may change changed. */
  readonly brief: Brief
  readonly delegation: Delegation
  /** Tools whose calls go to the client. */
  readonly clientTools: readonly EngineTool[]
  readonly input: readonly InputMessage[]
  /** As the client sent it; the tenant's own is not told. */
  readonly told: Readonly<Record<string, unknown>>
  /** Parameters that make no difference here. */
  readonly withoutEffect: readonly string[]
}

export interface Policy {
  readonly brief: Brief
  /** A tenant's own backend may do more than a visitor. */
  readonly trusted: boolean
}

export type Planned =
  | { readonly is: 'planned'; readonly plan: Plan }
  | { readonly is: 'refused'; readonly error: LiveError }

export function planOf(config: SessionConfig, policy: Policy): Planned {
  const error = impossible(config) ?? forbidden(config, policy)
  if (error !== undefined) return { is: 'refused', error }
  const { instructions, audio, input = [] } = config
  const voice = voiceOf(config)
  const responses = config.delegation?.type === 'responses' ? config.delegation.responses : undefined
  const own = [instructions, responses?.instructions].filter((text) => text != null && text.trim() !== '')
  const brief: Brief = {
    ...policy.brief,
    ...(own.length === 0 ? {} : { instructions: own.join('\n\n') }),
    ...(voice === undefined ? {} : { voice }),
  }
  const delegation = delegationOf(config, policy)
  return {
    is: 'planned',
    plan: {
      format: audio?.format ?? pcm24k,
      brief,
      delegation,
      clientTools:
        delegation.type === 'client'
          ? [delegation.tool]
          : toolsOf(responses).filter(({ name }) => !policy.brief.tools.includes(name)),
      input: input.map(({ role, content: [{ text }] }) => ({ role, text })),
      told: {
        model: config.model,
        ...(own.length === 0 ? {} : { instructions: instructions ?? null }),
        ...(input.length === 0 ? {} : { input }),
        audio: {
          format: audio?.format ?? pcm24k,
          ...(brief.voice === '' ? {} : { output: { voice: brief.voice } }),
        },
        store: false,
      },
      withoutEffect: withoutEffectOf(config),
    },
  }
}

/** What no agent here can do. */
function impossible(config: SessionConfig): LiveError | undefined {
  const { instructions, input = [], delegation, triggers = [], client, store } = config
  if (leastTokensOf(instructions ?? '') > instructionTokens) return tooLong('session.instructions', instructionTokens)
  const tokens = input.reduce((sum, { content: [{ text }] }) => sum + leastTokensOf(text), 0)
  if (tokens > inputTokens) return tooLong('session.input', inputTokens)
  if (delegation?.type === 'decisions')
    return unsupported('session.delegation.type', 'Decisions are not served here: no model answers their questions.')
  if (triggers.length > 0)
    return unsupported('session.triggers', 'Triggers are not served here: no model answers their questions.')
  if (client !== undefined)
    return unsupported('session.client', 'A WebSocket has no data channel whose events could be restricted.')
  if (store === true) return unsupported('session.store', 'Sessions are neither recorded nor forked here.')
  if (typeof config.audio?.output?.voice === 'object')
    return unsupported('session.audio.output.voice', 'Custom voices are the provider’s; name a voice.')
  return delegation?.type === 'responses' ? impossibleResponses(delegation.responses) : undefined
}

export function impossibleResponses(responses: ResponsesSettings): LiveError | undefined {
  const param = 'session.delegation.responses'
  const { tools = [], tool_choice: choice } = responses ?? {}
  for (const [i, tool] of tools.entries()) {
    if (tool.type !== 'function')
      return unsupported(`${param}.tools.${i}`, `Only function tools are served here, not ${tool.type}.`)
  }
  // The agent answers after its tools by itself: told to call again, it would never get there.
  if (choice === 'required' || (typeof choice === 'object' && choice !== null))
    return unsupported(`${param}.tool_choice`, 'A call cannot be forced for a whole session.')
  return undefined
}

/** What this agent does not let this client have. */
function forbidden(config: SessionConfig, policy: Policy): LiveError | undefined {
  const { instructions, delegation, input = [] } = config
  const { brief, trusted } = policy
  const mayInstruct = brief.mutable.includes('instructions')
  if ((instructions ?? '').trim() !== '' && !mayInstruct) return notYours('session.instructions')
  if (input.length > 0 && !trusted) return notYours('session.input')
  const voice = voiceOf(config)
  if (voice !== undefined && voice !== brief.voice && !brief.mutable.includes('voice'))
    return notYours('session.audio.output.voice')
  if (delegation?.type === 'client' && !mayBringTools(policy)) return notYours('session.delegation.type')
  return delegation?.type === 'responses' ? forbiddenResponses(delegation.responses, policy) : undefined
}

export function forbiddenResponses(responses: ResponsesSettings, policy: Policy): LiveError | undefined {
  if ((responses?.instructions ?? '').trim() !== '' && !policy.brief.mutable.includes('instructions'))
    return notYours('session.delegation.responses.instructions')
  return (responses?.tools ?? []).length > 0 && !mayBringTools(policy)
    ? notYours('session.delegation.responses.tools')
    : undefined
}

function mayBringTools({ brief }: Policy): boolean {
  return brief.mutable.includes('tools') && brief.clientTools
}

function voiceOf({ audio }: SessionConfig): string | undefined {
  const voice = audio?.output?.voice
  return typeof voice === 'string' && voice !== defaultVoice ? voice : undefined
}

/** Who may bring no backend of its own gets the agent's tools, whatever the original's default. */
function delegationOf({ delegation }: SessionConfig, policy: Policy): Delegation {
  if (delegation?.type === 'responses') {
    const { model, instructions } = delegation.responses
    return { type: 'responses', model, ...(instructions == null ? {} : { instructions }) }
  }
  if (mayBringTools(policy)) return { type: 'client', tool: delegateTool(policy.brief.tools) }
  return { type: 'responses', model: policy.brief.slug }
}

/** The engine's way to hand work to the client's backend. The protocol tells that it is wanted, not what. */
function delegateTool(taken: readonly string[]): EngineTool {
  let name = 'delegate'
  while (taken.includes(name)) name = `${name}_`
  return {
    name,
    description:
      'Hands what the person asked for last to the assistant behind you, who can look things up and get things done. ' +
      'Use it whenever you do not know the answer or cannot do what is wanted by yourself. Its answer comes back to you.',
    parameters: { type: 'object', properties: {}, required: [] },
  }
}

export function toolsOf(responses: ResponsesSettings): readonly EngineTool[] {
  if (responses?.tool_choice === 'none') return []
  return (responses?.tools ?? []).flatMap((tool) =>
    tool.type === 'function'
      ? [
          {
            name: tool.name,
            description: tool.description ?? '',
            parameters: tool.parameters ?? { type: 'object', properties: {} },
          },
        ]
      : [],
  )
}

/** Settings of a model that is not the one at work here. */
function withoutEffectOf({ delegation }: SessionConfig): readonly string[] {
  if (delegation == null || delegation.type === 'decisions') return []
  const found = delegation.acknowledgement_delay_ms === undefined ? [] : ['session.delegation.acknowledgement_delay_ms']
  return delegation.type === 'responses' ? [...found, ...idleSettings(delegation.responses)] : found
}

export function idleSettings(responses: ResponsesSettings): readonly string[] {
  const names = ['max_output_tokens', 'parallel_tool_calls', 'reasoning', 'service_tier', 'text'] as const
  return names.filter((name) => responses?.[name] != null).map((name) => `session.delegation.responses.${name}`)
}

function tooLong(param: string, tokens: number): LiveError {
  return liveError('string_above_max_length', `${param} holds at most ${tokens} tokens.`, param)
}

function unsupported(param: string, message: string): LiveError {
  return liveError('unsupported_value', message, param)
}

export function notYours(param: string): LiveError {
  return liveError('forbidden', `The agent's configuration does not let this client set ${param}.`, param)
}
