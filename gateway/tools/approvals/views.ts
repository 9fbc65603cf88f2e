// What the routes of approvals send.

import { z } from 'zod'
import { type ApprovalDetail, type ApprovalView, approvalStates } from '../../protocol/approvals.ts'
import { channels } from '../../protocol/turn.ts'

const at = z.iso.datetime()
const args = z.record(z.string(), z.unknown())

const fields = z.strictObject({
  id: z.string(),
  state: z
    .enum(approvalStates)
    .describe('`unknown`: it was begun and nobody knows whether it was done; nobody tries again.'),
  ...{ agentId: z.string(), agentName: z.string(), agentVersion: z.int(), tool: z.string() },
  sessionId: z.string().nullable().describe('Of the live session in which it was asked for; null: in writing.'),
  ...{ conversationId: z.string(), contactId: z.string().nullable(), channel: z.enum(channels), callId: z.string() },
  arguments: args.describe('As the model wrote them.'),
  argumentsHash: z.string().describe('sha256 over tool, arguments and session.'),
  editedArguments: args.nullable().describe('As a person changed them before approving.'),
  changes: z.array(
    z.strictObject({ path: z.string(), before: z.unknown().exactOptional(), after: z.unknown().exactOptional() }),
  ),
  approvedHash: z.string().nullable().describe('The same hash over what was approved, which is what runs.'),
  ...{ requestedAt: at, expiresAt: at },
  decidedBy: z.strictObject({ kind: z.string(), id: z.string(), name: z.string() }).nullable(),
  decidedAt: at.nullable(),
  reason: z.string().nullable().describe('Why it was rejected, or what else is to be known of its end.'),
  note: z.string().nullable().describe('Of whoever approved it.'),
  effectAt: at.nullable().describe('Until then an approval can be undone; then it runs.'),
  endedAt: at.nullable(),
  result: z.string().nullable().describe('What the tool answered: JSON text.'),
  delivery: z
    .enum(['none', 'owed', 'told', 'lost'])
    .describe('Whether the person on the other side was told how it ended.'),
}) satisfies z.ZodType<ApprovalView>

/** A mask may leave any field out. */
export const approvalView = fields.partial().meta({ id: 'Approval' })

const detail = fields.extend({
  description: z.string().nullable().describe('Of the tool; null: it is gone.'),
  parameters: args.nullable().describe('JSON Schema of the arguments.'),
}) satisfies z.ZodType<ApprovalDetail>

export const approvalDetail = detail.partial().meta({ id: 'ApprovalDetail' })
