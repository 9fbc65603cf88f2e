// Steps 5 to 7: what the model is told, what was said before, and which tools it is offered.

import type { Brief } from '../../agents/agents.ts'
import type { EngineTool, Message } from '../../engines/engines.ts'
import { idOf } from '../../platform/ids.ts'
import type { Turn } from '../../protocol/turn.ts'
import { type Outcome, toolsAreData } from '../../tools/tools.ts'
import type { ChatDeps } from '../deps.ts'
import type { Inbound } from '../inbound.ts'

/** Messages of the conversation before the new one. */
export const historyWindow = 20

export async function systemPrompt(
  { systemFor }: Pick<ChatDeps, 'systemFor'>,
  { instructions, systemKnowledge }: Brief,
  { asked }: { readonly asked: Pick<Inbound['asked'], 'trusted' | 'instructions' | 'text'> },
): Promise<string> {
  const own = asked.trusted ? (asked.instructions ?? '') : ''
  const reference = systemKnowledge ? ((await systemFor?.(asked.text)) ?? '') : ''
  return paragraphs([instructions, reference, own])
}

/** With what is said of the tools. */
export const withTools = (system: string, { instructions }: Pick<Offered, 'instructions'>): string =>
  paragraphs([system, instructions])

const paragraphs = (parts: readonly string[]): string => parts.filter((part) => part !== '').join('\n\n')

export async function history({ transcript }: Pick<ChatDeps, 'transcript'>, inbound: Inbound): Promise<Message[]> {
  const { tenantId, conversationId = '', asked } = inbound
  const before =
    asked.history ?? (await transcript.of(tenantId).ofConversation(conversationId, historyWindow)).flatMap(messageOf)
  const { outcome } = asked
  // The model's own call once more, with what came of it: data of a tool, and nobody's word.
  if (outcome !== undefined) return joined([...before, outcomeOf(outcome)])
  return joined([...before, ...(asked.text === '' ? [] : [{ role: 'user' as const, text: asked.text }])])
}

function outcomeOf({ approvalId, tool, arguments: args, output }: Outcome): Message {
  return { role: 'call', call: { callId: idOf('call', approvalId), name: tool, arguments: args }, output }
}

/** A tool's turn holds call and result: neither can lack the other. */
function messageOf({ role, text, tool }: Turn): Message[] {
  if (role === 'tool') {
    if (tool?.output === undefined || tool.name === '') return []
    const { callId, name, arguments: args, output } = tool
    return [{ role: 'call', call: { callId, name, arguments: args }, output }]
  }
  if (text === '' || role === 'system') return []
  return [{ role, text }]
}

const before = '(Earlier messages are not shown.)'

/** Neighbours of one role are one, and a person speaks first: templates of many models want it so. */
function joined(messages: readonly Message[]): Message[] {
  const result: Message[] = []
  for (const message of messages) {
    const last = result.at(-1)
    if (last !== undefined && last.role !== 'call' && message.role === last.role)
      result[result.length - 1] = { role: last.role, text: `${last.text}\n${message.text}` }
    else result.push(message)
  }
  return result[0]?.role === 'user' ? result : [{ role: 'user', text: before }, ...result]
}

export interface Offered {
  readonly tools: readonly EngineTool[]
  /** Names that run here. */
  readonly own: readonly string[]
  /** Names that the caller runs. */
  readonly client: ReadonlySet<string>
  /** What the prompt says of them. */
  readonly instructions: string
}

export async function filterTools(
  { tools }: Pick<ChatDeps, 'tools'>,
  brief: Brief,
  { tenantId, asked }: Inbound,
): Promise<Offered> {
  const { tools: own, instructions } = await tools.brief(tenantId, brief)
  const names = own.map((tool) => tool.name)
  // A name of ours stays ours: a caller cannot put itself between the agent and its tools.
  const brought = brief.clientTools ? (asked.clientTools ?? []).filter((tool) => !names.includes(tool.name)) : []
  return {
    ...{ tools: [...own, ...brought], own: names, client: new Set(brought.map((tool) => tool.name)) },
    instructions: own.length === 0 && brought.length > 0 ? toolsAreData : instructions,
  }
}
