// What an agent is, and which of its tools a session gets. Pure.

import { z } from 'zod'
import type { Channel } from '../protocol/turn.ts'
import type { Tenant, ToolRule } from '../tenants/tenants.ts'
import type { AgentConfig } from './config.ts'

export const newAgent = z.strictObject({
  slug: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/),
  name: z.string().trim().min(1).max(120),
})

export type AgentStatus = 'draft' | 'active' | 'paused' | 'archived'

export interface Agent {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly status: AgentStatus
  readonly draft: AgentConfig
  /** Missing until the first publish. */
  readonly live?: AgentConfig
  /** Counts publishes. */
  readonly version: number
}

/** Tenant ∩ channel ∩ agent; a denial anywhere wins. Keeps the agent's order. */
export function toolsFor(
  tenant: Pick<Tenant, 'allowedTools' | 'deniedTools'>,
  channel: Channel,
  config: Pick<AgentConfig, 'enabledTools' | 'disabledTools'>,
): readonly string[] {
  const rule = ruleOf(tenant, channel)
  const denied = new Set([...tenant.deniedTools, ...config.disabledTools])
  return [...new Set(config.enabledTools)].filter(
    (name) => (rule === 'all' || rule.includes(name)) && !denied.has(name),
  )
}

/** Whatever a stranger can reach follows the widget's rule. */
function ruleOf(tenant: Pick<Tenant, 'allowedTools'>, channel: Channel): ToolRule {
  if (channel === 'api') return tenant.allowedTools.api
  if (channel === 'console') return tenant.allowedTools.console
  return tenant.allowedTools.widget
}

export interface Prompt {
  readonly name: string
  readonly base: string
}

/** The tenant's own prompt, else the first of the shared ones. */
export function selectPrompt(
  prompts: readonly (Prompt & { readonly tenantId: string })[],
  tenantId: string,
): Prompt | undefined {
  const chosen = prompts.find((each) => each.tenantId === tenantId) ?? prompts[0]
  return chosen === undefined ? undefined : { name: chosen.name, base: chosen.base }
}
