// What an agent is. Pure.

import { z } from 'zod'
import type { AgentData } from '../objects/objects.ts'
import { slugPattern } from '../platform/slug.ts'
import type { AgentConfig } from './config.ts'

const slug = z.string().regex(slugPattern, 'lower-case letters, digits and inner hyphens, 50 at most')
export const agentSubtype = z.enum(['customer_support', 'sales_assistant', 'booking_agent', 'general'])
export const agentStatus = z.enum(['draft', 'active', 'paused', 'archived'])
export type AgentSubtype = z.output<typeof agentSubtype>
export type AgentStatus = z.output<typeof agentStatus>

export const newAgent = z.strictObject({
  name: z.string().trim().min(1).max(120),
  /** Missing: made of the name. */
  slug: slug.optional(),
  subtype: agentSubtype.default('general'),
})

/** What each subtype calls itself in its prompt. */
export const roles: Readonly<Record<AgentSubtype, string>> = {
  customer_support: 'the customer support agent',
  sales_assistant: 'the sales assistant',
  booking_agent: 'the booking agent',
  general: 'the agent',
}

export interface Agent {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly subtype: AgentSubtype
  readonly status: AgentStatus
  readonly draft: AgentConfig
  /** Missing until the first deploy. */
  readonly live?: AgentConfig
  /** Of what is live; 0: nothing. */
  readonly version: number
  readonly draftVersion: number
  readonly rollout: AgentData['rollout']
  readonly recalled: AgentData['recalled']
  readonly deployments: AgentData['deployments']
  /** Counts its changes. */
  readonly revision: number
  readonly updatedAt: Date
}

/** Looks up our own papers: as its config says, else a sales assistant does. */
export function usesSystemKnowledge(
  { subtype }: Pick<Agent, 'subtype'>,
  { useSystemKnowledge }: Pick<AgentConfig, 'useSystemKnowledge'>,
): boolean {
  return useSystemKnowledge ?? subtype === 'sales_assistant'
}

export interface Prompt {
  readonly name: string
  readonly base: string
}

/** The tenant's own prompt, else the first of the shared ones. */
export function selectPrompt<P extends Prompt & { readonly tenantId: string }>(
  prompts: readonly P[],
  tenantId: string,
): P | undefined {
  return prompts.find((each) => each.tenantId === tenantId) ?? prompts[0]
}
