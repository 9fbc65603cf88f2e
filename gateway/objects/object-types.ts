// What kinds of objects there are: their subtypes, the moves of their status and the shape of their data. A new type is one
// entry here. Pure.

import { z } from 'zod'
import type { ObjectType } from './object.ts'

const id = z.string().min(1).max(64)
/** Where an object of another system lives. */
const external = { externalId: z.string().max(200).default(''), url: z.url().max(2_000).nullable().default(null) }

const actor = z.object({ kind: z.string(), id: z.string(), name: z.string() })

/** An agent's data names its configs; the configs are records of their own, written once. */
export const agentData = z.object({
  /** Of the newest version, which is what is being worked on. */
  draftVersion: z.int().min(1),
  /** Of what people get; 0: nothing was deployed yet. */
  liveVersion: z.int().min(0),
  rollout: z.object({ version: z.int().min(1), percent: z.int().min(1).max(99) }).nullable(),
  /** Taken back by a rollback: nobody keeps these, not even within a conversation. */
  recalled: z.array(z.int()),
  /** The latest changes of what people get, oldest first. */
  deployments: z.array(
    z.object({
      kind: z.enum(['deploy', 'rollback', 'rollout']),
      version: z.int(),
      from: z.int(),
      percent: z.int(),
      actor,
      note: z.string(),
      at: z.date(),
    }),
  ),
})
export type AgentData = z.output<typeof agentData>

export const objectTypes = {
  org_agent: {
    subtypes: ['customer_support', 'sales_assistant', 'booking_agent', 'general'],
    /** An agent that answers people is paused before it is put away; put away is for good. */
    moves: { draft: ['active'], active: ['paused'], paused: ['active', 'archived'], archived: [] },
    first: 'draft',
    data: agentData,
    writtenAt: '/v1/agents',
  },
  builder_app: {
    subtypes: ['web_app', 'landing_page', 'internal_tool'],
    moves: { draft: ['active', 'archived'], active: ['draft', 'archived'], archived: [] },
    first: 'draft',
    data: z.strictObject({
      description: z.string().max(4_000).default(''),
      /** The objects of type `chat_ref` it was made in. */
      chatRefIds: z.array(id).max(100).default([]),
      conversationId: id.nullable().default(null),
      /** Slugs of the entity types it works with. */
      entityTypes: z.array(z.string().max(64)).max(50).default([]),
      repository: z.strictObject(external).nullable().default(null),
      deployment: z.strictObject(external).nullable().default(null),
      settings: z.record(z.string().max(64), z.union([z.string().max(2_000), z.number(), z.boolean()])).default({}),
    }),
    writtenAt: undefined,
  },
  chat_ref: {
    subtypes: ['v0', 'conversation'],
    moves: { active: ['closed'], closed: ['active'] },
    first: 'active',
    data: z.strictObject({
      ...external,
      title: z.string().max(500).default(''),
      appId: id.nullable().default(null),
    }),
    writtenAt: undefined,
  },
} as const satisfies Record<string, ObjectType>

export type ObjectTypeName = keyof typeof objectTypes
export const objectTypeNames = ['org_agent', 'builder_app', 'chat_ref'] as const satisfies readonly ObjectTypeName[]

export function objectType(name: ObjectTypeName): ObjectType {
  return objectTypes[name]
}
