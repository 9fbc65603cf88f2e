// The closed sets of an agent, in words.

import type { AgentConfigView, AgentStatus, AgentSubtype, AutonomyLevel } from '../../../gateway/protocol/agents.ts'
import type { Choice } from '../../ui/choice-fields.tsx'

export type VoiceEngine = AgentConfigView['fallbackEngines'][number]

export const subtypes: readonly Choice<AgentSubtype>[] = [
  { value: 'customer_support', name: 'Customer support', note: 'Answers questions, solves problems, hands over.' },
  { value: 'sales_assistant', name: 'Sales assistant', note: 'Advises, qualifies, brings people to an offer.' },
  { value: 'booking_agent', name: 'Booking agent', note: 'Finds free times, books and moves appointments.' },
  { value: 'general', name: 'General', note: 'Anything else.' },
]

export function subtypeName(subtype: string): string {
  return subtypes.find((one) => one.value === subtype)?.name ?? subtype
}

export const statusNames: Readonly<Record<AgentStatus, string>> = {
  draft: 'Draft',
  active: 'Active',
  paused: 'Paused',
  archived: 'Archived',
}

export const autonomyLevels: readonly Choice<AutonomyLevel>[] = [
  { value: 'supervised', name: 'Supervised', note: 'A person approves each use of a tool; it talks on meanwhile.' },
  { value: 'autonomous', name: 'Autonomous', note: 'Uses its tools, but asks for those listed below.' },
  { value: 'draft_only', name: 'Read only', note: 'Looks things up and changes nothing.' },
]

export const engineNames: readonly Choice<VoiceEngine>[] = [
  { value: 'openai-live', name: 'OpenAI GPT-Live' },
  { value: 'openai-realtime', name: 'OpenAI Realtime' },
  { value: 'gemini-live', name: 'Gemini Live' },
  { value: 'cascade', name: 'Cascade: speech to text, model, voice' },
  { value: 'demo', name: 'Built-in demo' },
]
