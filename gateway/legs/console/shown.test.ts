import { expect, test } from 'vitest'
import { authAs } from '../../../test/harness/auth.ts'
import { asTenantId } from '../../platform/ids.ts'
import type { ApprovalView } from '../../protocol/approvals.ts'
import { shownEvent } from './shown.ts'

const tenantId = asTenantId('ten_1')
const approval: ApprovalView = {
  ...{ id: 'appr_1', state: 'pending', agentId: 'agt_1', agentName: 'Helper', agentVersion: 1, tool: 'refund' },
  ...{ sessionId: null, conversationId: 'conv_1', contactId: null, channel: 'api', callId: 'call_1' },
  ...{ arguments: { amount: 5 }, argumentsHash: 'h', editedArguments: null, changes: [], approvedHash: null },
  ...{ requestedAt: '', expiresAt: '', decidedBy: null, decidedAt: null, reason: null, note: null },
  ...{ effectAt: null, endedAt: null, result: null, delivery: 'none' },
}
const event = { is: 'approval', approval } as const
const watched = new Map<string, never>()

test('[A12] a console hears of approvals with the rows and masks of its operator, and only who may read them', () => {
  expect(shownEvent(authAs(tenantId), event, watched)).toEqual({ type: 'approval', approval })
  const watching = authAs(tenantId, { may: (ability) => ability === 'sessions.read' })
  expect(shownEvent(watching, event, watched)).toBeUndefined()
  const ofAnother = authAs(tenantId, { may: (_ability, kind) => kind === 'agt_2' })
  expect(shownEvent(ofAnother, event, watched)).toBeUndefined()
  const rows = { is: 'some', anyOf: [[{ is: 'field', field: 'tool', op: 'eq', values: ['transfer'] }]] } as const
  expect(shownEvent(authAs(tenantId, { rows: () => rows }), event, watched)).toBeUndefined()
  const masked = authAs(tenantId, {
    masked: (_resource, record) => ({ ...record, arguments: {} }),
  })
  expect(shownEvent(masked, event, watched)).toMatchObject({ approval: { arguments: {} } })
})
