// What the routes of agents answer with.

import { z } from 'zod'
import type {
  AgentDetail,
  AgentDiff,
  AgentFile,
  AgentPrompt,
  AgentVersionDetail,
  AgentVersionView,
  AgentView,
  PromptView,
} from '../protocol/agents.ts'
import { agentStatus, agentSubtype } from './agent.ts'
import { agentConfig } from './config.ts'
import { sectionNames } from './prompt.ts'

const at = z.iso.datetime()
const actor = z.strictObject({ kind: z.string(), id: z.string(), name: z.string() })
const percent = z.int().min(0).max(100)

const agentFields = {
  ...{ id: z.string(), slug: z.string(), name: z.string(), subtype: agentSubtype, status: agentStatus },
  ...{ engine: z.string(), voice: z.string(), tools: z.array(z.string()), displayName: z.string() },
  version: z.int().describe('Of what people get; 0 before the first deploy.'),
  draftVersion: z.int().describe('Of what is being worked on: the newest.'),
  updatedAt: at,
}
export const agentView = z.strictObject(agentFields).meta({ id: 'Agent' }) satisfies z.ZodType<AgentView>

export const agentDetail = z
  .strictObject({
    ...agentFields,
    ...{ draft: agentConfig, live: agentConfig.nullable() },
    rollout: z
      .strictObject({ version: z.int(), percent })
      .nullable()
      .describe('A version on trial, and the share of the people who get it.'),
    moves: z.array(agentStatus).describe('Where its status may go from here.'),
    deployments: z
      .array(
        z.strictObject({
          ...{ kind: z.enum(['deploy', 'rollback', 'rollout']), version: z.int(), from: z.int(), percent },
          ...{ actor, note: z.string(), at },
        }),
      )
      .describe('The latest 50 changes of what people get, newest first.'),
  })
  .meta({ id: 'AgentDetail' }) satisfies z.ZodType<AgentDetail>

const versionFields = {
  ...{ number: z.int(), hash: z.string(), author: actor, note: z.string(), at },
  ...{ isDraft: z.boolean(), isLive: z.boolean() },
}
export const versionView = z
  .strictObject(versionFields)
  .meta({ id: 'AgentVersion' }) satisfies z.ZodType<AgentVersionView>
export const versionDetail = z
  .strictObject({ ...versionFields, config: agentConfig })
  .meta({ id: 'AgentVersionDetail' }) satisfies z.ZodType<AgentVersionDetail>

export const diffReply = z
  .strictObject({
    ...{ from: z.int(), to: z.int() },
    changes: z.array(
      z.strictObject({
        field: z.string(),
        kind: z.enum(['added', 'removed', 'changed']),
        ...{ before: z.unknown().optional(), after: z.unknown().optional() },
      }),
    ),
  })
  .meta({ id: 'AgentDiff' }) satisfies z.ZodType<AgentDiff>

export const fileReply = z
  .strictObject({
    ...{ format: z.literal('parley.agent'), schemaVersion: z.int() },
    agent: z.strictObject({ slug: z.string(), name: z.string(), subtype: agentSubtype }),
    ...{ version: z.int(), config: agentConfig },
  })
  .meta({ id: 'AgentFile' }) satisfies z.ZodType<AgentFile>

export const promptReply = z
  .strictObject({
    sections: z.array(z.strictObject({ name: z.enum(sectionNames), text: z.string() })),
    text: z.string(),
  })
  .meta({ id: 'AgentPrompt' }) satisfies z.ZodType<AgentPrompt>

export const libraryPrompt = z
  .strictObject({
    ...{ position: z.int(), name: z.string(), base: z.string() },
    ...{ shared: z.boolean(), selected: z.boolean() },
  })
  .meta({ id: 'Prompt' }) satisfies z.ZodType<PromptView>
