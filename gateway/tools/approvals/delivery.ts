// The outcome finds the person: in the live session wherever that is, else as a new turn of the conversation. Owed on the
// approval until it is told, by whoever holds its lease.

import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { ToolOutput } from '../output.ts'
import type { Approval } from './approval.ts'
import type { Changing } from './changing.ts'
import { type ApprovalStore, leaseMs, renewMs } from './store.ts'
import { outcomeOf, plainly, tellIt } from './words.ts'

/** What came of a call that waited for a person. */
export interface Outcome extends ToolOutput {
  readonly approvalId: string
  readonly callId: string
  readonly tool: string
  /** Canonical JSON. */
  readonly arguments: string
  /** For whoever tells it in their own words: the output is data. */
  readonly instruction: string
  /** Where nobody can put it better. */
  readonly plain: string
}

/** Sessions and conversations stand after this slice: joined in slices.ts. */
export interface Outlets {
  /**
   * `told`: said in the live session. `elsewhere`: its process was told to look. `ended`: it ended before that was said.
   * `gone`: there is no such session any more.
   */
  toSession(approval: Approval, outcome: Outcome): Promise<'told' | 'elsewhere' | 'ended' | 'gone'>
  /** `lost`: there is no such conversation any more. Throws what may pass. */
  toConversation(approval: Approval, outcome: Outcome): Promise<'told' | 'lost'>
}

export interface DeliveryDeps {
  readonly store: ApprovalStore
  readonly changing: Changing
  readonly clock: Clock
  readonly log: Log
  readonly outlets: Outlets
}

const retryMs = 5_000

export async function deliver(deps: DeliveryDeps, approval: Approval): Promise<void> {
  const { store, clock, log, changing } = deps
  const later = (ms: number) => new Date(clock.now() + ms)
  if (!(await store.takeTelling(approval, later(leaseMs)))) return
  const renewing = clock.every(renewMs, () => {
    store
      .renew(approval, later(leaseMs))
      .catch((error: unknown) =>
        log.warn({ err: error, approvalId: approval.id }, 'the telling of an outcome was not renewed'),
      )
  })
  try {
    const told = await tell(deps.outlets, approval)
    if (told === 'later') await store.giveBack(approval, later(retryMs))
    else await changing.tryChange(approval, { is: told })
  } catch (error) {
    log.warn({ err: error, approvalId: approval.id, tenantId: approval.tenantId }, 'an outcome was not told')
    await store.giveBack(approval, later(retryMs))
  } finally {
    renewing.cancel()
  }
}

async function tell(outlets: Outlets, approval: Approval): Promise<'told' | 'lost' | 'later'> {
  const outcome = outcomeFor(approval)
  const said = approval.origin === 'session' ? await outlets.toSession(approval, outcome) : 'gone'
  if (said === 'told') return 'told'
  return said === 'gone' ? outlets.toConversation(approval, outcome) : 'later'
}

export function outcomeFor(approval: Approval): Outcome {
  const { id, callId, tool, args } = approval
  return {
    ...{ approvalId: id, callId, tool, arguments: args, instruction: tellIt, plain: plainly(approval) },
    ...outcomeOf(approval),
  }
}
