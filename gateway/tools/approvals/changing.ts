// Every change of an approval: the machine decides, one compare-and-swap writes it with its events, the log and the consoles hear of it.

import type { Events } from '../../events/events.ts'
import type { Clock } from '../../platform/clock.ts'
import type { TenantId } from '../../platform/ids.ts'
import type { Log } from '../../platform/log.ts'
import { found, Problem } from '../../platform/problem.ts'
import { type Approval, type ApprovalEvent, step } from './approval.ts'
import { eventsOf, requested } from './outbox.ts'
import type { ApprovalStore } from './store.ts'

export interface ChangingDeps {
  readonly store: ApprovalStore
  readonly events: Pick<Events, 'of'>
  readonly clock: Clock
  readonly log: Log
  /** Told of every approval as it is now. Must not throw. */
  readonly onChange: (approval: Approval) => void
}

export interface Changed {
  readonly approval: Approval
  /** False: it stood like that before. */
  readonly isNew: boolean
}

export interface Changing {
  park(approval: Approval): Promise<{ readonly is: 'new' | 'same' | 'twin'; readonly approval: Approval }>
  /** `not_found`; `conflict` where it cannot be, which says how it stands. */
  change(of: { readonly tenantId: TenantId; readonly id: string }, event: ApprovalEvent): Promise<Changed>
  /** From how it was read, once. Undefined: somebody was faster, or it cannot be. */
  tryChange(from: Approval, event: ApprovalEvent): Promise<Approval | undefined>
  /** Events that somebody died over. */
  repair(): Promise<void>
}

/** As many may be at it at once. */
const maxTries = 100
/** Whoever made the change is at its events for that long. */
const graceMs = 10_000
const batch = 100

export function createChanging(deps: ChangingDeps): Changing {
  const { store, clock, log } = deps
  const settle = async (of: Pick<Approval, 'id' | 'tenantId'>): Promise<void> => {
    const events = await store.pending(of)
    if (events.length > 0) await deps.events.of(of.tenantId).append(events)
    await store.settle(of, events)
  }
  /** What is not in the log now is put there by `repair`. */
  const settled = (approval: Approval): Promise<void> =>
    settle(approval).catch((error: unknown) => log.warn({ err: error, approvalId: approval.id }, 'events are owed'))
  const tryChange = async (from: Approval, event: ApprovalEvent): Promise<Approval | undefined> => {
    const nowMs = clock.now()
    const next = step(from, event, nowMs)
    if (next.is !== 'next') return undefined
    const events = eventsOf(from, next.approval, nowMs)
    if (!(await store.swap(from, next.approval, { nowMs, events }))) return undefined
    deps.onChange(next.approval)
    if (events.length > 0) await settled(next.approval)
    return next.approval
  }
  return {
    tryChange,
    async park(approval) {
      const nowMs = clock.now()
      const parked = await store.insert(approval, { nowMs, events: [requested(approval)] })
      if (parked.is === 'new') {
        deps.onChange(approval)
        await settled(approval)
      }
      return parked
    },
    async change({ tenantId, id }, event) {
      for (let tries = 0; tries < maxTries; tries++) {
        const approval = found(await store.get(tenantId, id))
        const next = step(approval, event, clock.now())
        if (next.is === 'stands') return { approval, isNew: false }
        if (next.is === 'refused') throw new Problem('conflict', next.message)
        const changed = await tryChange(approval, event)
        if (changed !== undefined) return { approval: changed, isNew: true }
      }
      throw new Error(`the approval ${id} changes all the time`)
    },
    async repair() {
      for (const each of await store.unsettled(new Date(clock.now() - graceMs), batch)) await settle(each)
    },
  }
}
