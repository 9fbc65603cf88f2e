// What a console hears of the sessions of its tenant.

import type { ApprovalView } from '../protocol/approvals.ts'
import type { SessionView } from '../protocol/rest.ts'
import type { Turn } from '../protocol/turn.ts'

export type LiveEvent =
  | { readonly is: 'session'; readonly session: SessionView }
  | { readonly is: 'turn'; readonly sessionId: string; readonly turn: Turn }
  | { readonly is: 'approval'; readonly approval: ApprovalView }
  | { readonly is: 'notice'; readonly sessionId: string; readonly code: string; readonly text: string }
