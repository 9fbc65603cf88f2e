// Workflows of an automation server, and their runs.

import { z } from 'zod'
import { idText, moment, originFields, shortText, template } from './template.ts'

export const workflow = template(
  {
    slug: 'workflow',
    name: 'Workflow',
    description: 'What an agent may start on the tenant’s automation server (n8n), whose address and keys are secrets.',
    searchFields: ['name', 'description'],
    titleField: 'name',
  },
  z.strictObject({
    name: shortText,
    /** What it does and what it needs, for the agent. */
    description: z.string().max(2_000).optional(),
    /** Of its production webhook, behind `/webhook/`. */
    path: z.string().regex(/^[A-Za-z0-9_-]{1,100}([/][A-Za-z0-9_-]{1,100}){0,4}$/),
    /** Names of the fields that must be in the payload. */
    requires: z.array(z.string().min(1).max(60)).max(40).default([]),
    isActive: z.boolean().default(true),
  }),
)

/** `unknown`: it was sent, and no answer came. */
export const runStates = ['queued', 'running', 'done', 'failed', 'unknown'] as const

export const workflowRun = template(
  {
    slug: 'workflow-run',
    name: 'Workflow run',
    description: 'Every start of a workflow by an agent.',
    searchFields: ['workflowName'],
    titleField: 'workflowName',
  },
  z.strictObject({
    workflowId: idText,
    workflowName: shortText,
    status: z.enum(runStates).default('queued'),
    payload: z.looseObject({}),
    answer: z.looseObject({}).optional(),
    reason: z.string().max(500).optional(),
    startedAt: moment.optional(),
    endedAt: moment.optional(),
    contactId: idText.optional(),
    ...originFields,
  }),
)
