// A config as it was stored or exported once, read as one of today: renamed fields under their names, missing ones as they
// default. Pure.

import { z } from 'zod'
import { type AgentConfig, agentConfig } from './config.ts'

const record = z.record(z.string(), z.unknown())

/** Names of the first shape and where they stand now. */
const renamed: Readonly<Record<string, string>> = {
  instructions: 'systemPrompt',
  tools: 'enabledTools',
  deniedTools: 'disabledTools',
}
const outOfLimits: Readonly<Record<string, string>> = {
  dailyMessages: 'maxMessagesPerDay',
  dailyCreditsMicro: 'maxCostPerDay',
}

/** The fields under the names of today. Says nothing about their values. */
export function withTodaysNames(stored: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { limits, ...rest } = stored
  const moved = Object.entries(rest).map(([name, value]) => [renamed[name] ?? name, value])
  const parsed = record.safeParse(limits)
  if (!parsed.success) return { ...Object.fromEntries(moved), ...(limits === undefined ? {} : { limits }) }
  const lifted = Object.entries(parsed.data).flatMap(([name, value]) => {
    const now = outOfLimits[name]
    return now === undefined ? [] : [[now, value]]
  })
  const kept = Object.entries(parsed.data).filter(([name]) => outOfLimits[name] === undefined)
  return { ...Object.fromEntries([...lifted, ...moved]), limits: Object.fromEntries(kept) }
}

/** What a process of a later version has added is left out. */
const tolerant = z.object(agentConfig.shape)

/** Throws for what never was a config: somebody has written to the store by hand. */
export function readStoredConfig(stored: unknown): AgentConfig {
  return tolerant.parse(withTodaysNames(record.parse(stored)))
}
