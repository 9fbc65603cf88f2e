// One agent as a file: what export writes, import reads and `parley agent` keeps in a repository. Pure.

import { z } from 'zod'
import { Problem } from '../platform/problem.ts'
import type { AgentFile } from '../protocol/agents.ts'
import { type Agent, newAgent } from './agent.ts'
import { type AgentConfig, agentConfig } from './config.ts'
import { withTodaysNames } from './stored-config.ts'

/** Of the file's shape. A config's own fields may grow without it: what is missing takes its default. */
export const fileSchemaVersion = 1

export const agentFile = z.strictObject({
  format: z.literal('parley.agent'),
  schemaVersion: z.int().min(1),
  agent: newAgent.required({ slug: true }),
  version: z.int().min(0).default(0),
  config: z.record(z.string(), z.unknown()),
})

export function fileOf(
  agent: Pick<Agent, 'slug' | 'name' | 'subtype'>,
  version: number,
  config: AgentConfig,
): AgentFile {
  const { slug, name, subtype } = agent
  return {
    ...{ format: 'parley.agent', schemaVersion: fileSchemaVersion },
    ...{ agent: { slug, name, subtype }, version, config },
  }
}

/** Throws `invalid` for a file of a later program, and for a config that does not fit. */
export function configOfFile(file: z.output<typeof agentFile>): AgentConfig {
  if (file.schemaVersion > fileSchemaVersion) {
    const message = `This file has schema version ${file.schemaVersion}; this gateway reads up to ${fileSchemaVersion}.`
    throw new Problem('invalid', message, { issues: [{ path: 'schemaVersion', message }] })
  }
  const parsed = agentConfig.safeParse(withTodaysNames(file.config))
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.map(({ path, message }) => ({ path: ['config', ...path].join('.'), message }))
  throw new Problem('invalid', 'The config in this file does not fit.', { issues })
}
