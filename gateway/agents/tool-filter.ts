// Which tools a model is offered: one answer for what is spoken and what is written. Pure.

import type { Channel } from '../protocol/turn.ts'
import type { Tenant, ToolRule } from '../tenants/tenants.ts'
import type { AgentConfig } from './config.ts'

export interface ToolFilter {
  readonly tenant: Pick<Tenant, 'allowedTools' | 'deniedTools'>
  readonly channel: Channel
  readonly config: Pick<AgentConfig, 'enabledTools' | 'disabledTools' | 'autonomyLevel'>
  /** What the registry of tools says; undefined: it knows no such tool. */
  readonly isReadOnly: (name: string) => boolean | undefined
}

/** Tools that only look something up are called so by custom. */
const looksUp = /^(query|search|list|get|find|check)([_.-]|$)/

/**
 * Tenant ∩ channel ∩ agent; a denial anywhere wins. Then the autonomy: `draft_only` offers what only reads. `supervised` and
 * `autonomous` offer the same tools: whether one waits for a person is decided when it is called. Keeps the agent's order.
 */
export function toolsFor({ tenant, channel, config, isReadOnly }: ToolFilter): readonly string[] {
  const rule = ruleOf(tenant, channel)
  const denied = new Set([...tenant.deniedTools, ...config.disabledTools])
  const allowed = [...new Set(config.enabledTools)].filter(
    (name) => (rule === 'all' || rule.includes(name)) && !denied.has(name),
  )
  if (config.autonomyLevel !== 'draft_only') return allowed
  return allowed.filter((name) => isReadOnly(name) ?? looksUp.test(name))
}

/** Whatever a stranger can reach follows the widget's rule. */
function ruleOf(tenant: Pick<Tenant, 'allowedTools'>, channel: Channel): ToolRule {
  if (channel === 'api') return tenant.allowedTools.api
  if (channel === 'console') return tenant.allowedTools.console
  return tenant.allowedTools.widget
}
