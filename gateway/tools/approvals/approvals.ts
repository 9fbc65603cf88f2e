// Calls that wait for a person: parked, decided once, done once, told once. Rules of SPEC.md.

import type { Db } from 'mongodb'
import type { AuthContext } from '../../platform/access.ts'
import { momentCursor, momentOf, type PageQuery, pageFrom } from '../../platform/cursor.ts'
import { withDeadline } from '../../platform/deadline.ts'
import { idOf, type TenantId } from '../../platform/ids.ts'
import { found, Problem } from '../../platform/problem.ts'
import { rowFilter } from '../../platform/row-filter.ts'
import type { ApprovalDetail, ApprovalPage, ApprovalView } from '../../protocol/approvals.ts'
import type { ToolOutput } from '../output.ts'
import type { ParkedCall, ToolRun } from '../runner.ts'
import { withoutNulls } from '../tool.ts'
import { type Approval, type ApprovalEvent, expiryMs, isOver } from './approval.ts'
import { canonical, hashOf, objectOf } from './arguments.ts'
import { type Changing, type ChangingDeps, createChanging } from './changing.ts'
import { type DeliveryDeps, deliver, type Outlets } from './delivery.ts'
import { type EffectDeps, effect } from './effect.ts'
import { viewOf } from './present.ts'
import { type ApprovalFilter, type ApprovalStore, approvalRowFields, openApprovals } from './store.ts'
import { parked, twin } from './words.ts'

export interface ApprovalsDeps
  extends Omit<EffectDeps, 'store' | 'changing'>,
    Pick<ChangingDeps, 'events'>,
    Pick<DeliveryDeps, 'clock' | 'log'> {
  readonly db: Db
  readonly outlets: ApprovalOutlets
}

export interface ApprovalOutlets extends Outlets {
  /** Of every change, for whoever watches: `make` runs only if somebody does. Must not throw. */
  onChange(tenantId: TenantId, make: () => ApprovalView): void
}

export type { Outcome } from './delivery.ts'

export interface CallerApprovals {
  /** Newest first. `invalid` for a cursor of another list. */
  list(query: ApprovalFilter & PageQuery): Promise<ApprovalPage>
  get(id: string): Promise<ApprovalDetail | undefined>
  /**
   * With other arguments: those run, if they fit the tool (`invalid`). Decided so before: how it stands. `not_found`,
   * `forbidden`, and `conflict` for what was decided otherwise or is over.
   */
  approve(
    id: string,
    how: { readonly arguments?: object | undefined; readonly note?: string | undefined },
  ): Promise<ApprovalDetail>
  reject(id: string, how: { readonly reason?: string | undefined }): Promise<ApprovalDetail>
  /** Of an approval whose effect has not begun. */
  undo(id: string): Promise<ApprovalDetail>
}

export interface Approvals {
  of(tenantId: TenantId): { as(auth: AuthContext): CallerApprovals }
  /** The one output of a call that waits. Asked again with the same call, it gives the same. */
  park(parked: Pick<ParkedCall, 'call'>): Promise<ToolOutput>
  /** What is due: effects, expiry, outcomes that nobody was told. Any number of processes may. */
  sweep(): Promise<{ readonly looked: number }>
  /** Another process says that there is something to do here. */
  attend(tenantId: TenantId, id: string): void
  /** Resolves when what is being done here is, or after `timeoutMs`: another process goes on with the rest. */
  drain(timeoutMs: number): Promise<void>
}

const batch = 100

export function createApprovals(deps: ApprovalsDeps): Approvals {
  return new Desk(deps)
}

class Desk implements Approvals {
  readonly #deps: ApprovalsDeps
  readonly #store: ApprovalStore
  readonly #changing: Changing
  readonly #work = new Map<string, Promise<void>>()
  #closed = false

  constructor(deps: ApprovalsDeps) {
    this.#deps = deps
    this.#store = openApprovals(deps.db, { owner: deps.nodeId })
    this.#changing = createChanging({
      ...deps,
      store: this.#store,
      onChange: (approval) => deps.outlets.onChange(approval.tenantId, () => viewOf(approval)),
    })
  }

  of(tenantId: TenantId) {
    return { as: (auth: AuthContext) => this.#as(tenantId, auth) }
  }

  async park({ call }: Pick<ParkedCall, 'call'>): Promise<ToolOutput> {
    const { is, approval } = await this.#changing.park(approvalOf(call, this.#deps.clock.now()))
    return is === 'twin' ? twin(approval) : parked(approval)
  }

  async sweep(): Promise<{ readonly looked: number }> {
    await this.#changing.repair()
    const due = await this.#store.due(new Date(this.#deps.clock.now()), batch)
    // Not waited for: an outcome may wait long for its moment in a live session.
    for (const each of due) void this.#advance(each)
    return { looked: due.length }
  }

  attend(tenantId: TenantId, id: string): void {
    void this.#look(tenantId, id)
  }

  async drain(timeoutMs: number): Promise<void> {
    this.#closed = true
    const all = Promise.allSettled(this.#work.values())
    await withDeadline<unknown>(all, { timeoutMs, clock: this.#deps.clock, fallback: () => undefined })
  }

  async #look(tenantId: TenantId, id: string): Promise<void> {
    const approval = await this.#store.get(tenantId, id).catch(() => undefined)
    if (approval !== undefined) await this.#advance(approval)
  }

  /** One at a time in this process. */
  #advance(approval: Approval): Promise<void> {
    const { id, tenantId } = approval
    const known = this.#work.get(id)
    if (known !== undefined || this.#closed) return known ?? Promise.resolve()
    const work = this.#moved(approval)
      .catch((error: unknown) =>
        this.#deps.log.warn(
          { err: error, tenantId, approvalId: id },
          'an approval was not brought on, it will be tried again',
        ),
      )
      .finally(() => this.#work.delete(id))
    this.#work.set(id, work)
    return work
  }

  async #moved(approval: Approval): Promise<void> {
    const base = { ...this.#deps, store: this.#store, changing: this.#changing }
    const now = isOver(approval) ? approval : await this.#ended(base, approval)
    if (now?.delivery === 'owed') await deliver(base, now)
  }

  /** Undefined: it is another's, or its time has not come. */
  #ended(base: EffectDeps, approval: Approval): Promise<Approval | undefined> {
    return approval.state === 'pending' ? this.#changing.tryChange(approval, { is: 'expire' }) : effect(base, approval)
  }

  #as(tenantId: TenantId, auth: AuthContext): CallerApprovals {
    const rows = rowFilter(auth.rows('approvals'), auth, approvalRowFields) ?? {}
    const get = async (id: string): Promise<ApprovalDetail | undefined> => {
      const approval = await this.#store.get(tenantId, id, rows)
      return approval === undefined ? undefined : this.#detail(auth, await this.#timely(approval))
    }
    const decide = async (id: string, eventOf: (approval: Approval) => Promise<ApprovalEvent>) => {
      const approval = found(await this.#store.get(tenantId, id, rows))
      if (!auth.may('approvals.decide', approval.agent.id) || auth.actor.kind === 'agent')
        throw new Problem('forbidden')
      const timely = await this.#timely(approval)
      const changed = await this.#changing.change(timely, await eventOf(timely))
      this.#follow(changed.approval)
      return this.#detail(auth, changed.approval)
    }
    return {
      get,
      list: async ({ limit, cursor, ...filter }) => {
        for (const each of await this.#store.expiring(tenantId, new Date(this.#deps.clock.now())))
          await this.#timely(each)
        const after = cursor === undefined ? undefined : momentOf(cursor)
        const page = await this.#store.page(tenantId, { filter, rows, after, count: limit + 1 })
        return pageFrom(page, limit, {
          view: (each) => auth.masked('approvals', viewOf(each)),
          cursor: ({ requestedAtMs, id }) => momentCursor({ at: new Date(requestedAtMs), id }),
        })
      },
      approve: (id, { arguments: edited, note }) =>
        decide(id, async (approval) => {
          // Whoever does not see all of them would leave out what is hidden.
          if (edited !== undefined && !auth.sees('approvals', 'arguments', approval.agent.id))
            throw new Problem('forbidden', 'Arguments that are partly hidden cannot be changed.')
          const approved = await this.#approved(approval, edited)
          return { is: 'approve', by: auth.actor, ...approved, ...(note === undefined ? {} : { note }) }
        }),
      reject: (id, { reason }) =>
        decide(id, async () => ({ is: 'reject', by: auth.actor, ...(reason === undefined ? {} : { reason }) })),
      undo: (id) => decide(id, async () => ({ is: 'undo' })),
    }
  }

  /** What was approved, by its hash: the arguments as they are, or as a person changed them. */
  async #approved(approval: Approval, edited: object | undefined) {
    const { tool: name, args, hash, tenantId } = approval
    const text = edited === undefined ? args : canonical(edited)
    if (text === args) return { hash }
    const tool = await this.#deps.toolNamed(tenantId, name)
    if (tool === undefined) throw new Problem('conflict', 'The tool is gone.')
    const prepared = tool.prepare(edited)
    if (prepared.is === 'invalid')
      throw new Problem('invalid', 'The arguments do not fit the tool.', { issues: prepared.issues })
    return { hash: hashOf({ tool: name, args: text, session: sessionOf(approval) }), edited: text }
  }

  /** By this process if it lives, by the sweep of any else: the effect when the time to undo is over, the word of an end at once. */
  #follow(approval: Approval): void {
    const { state, effectAtMs, tenantId, id } = approval
    if (isOver(approval)) void this.#advance(approval)
    else if (state === 'approved' && effectAtMs !== undefined)
      this.#deps.clock.after(Math.max(0, effectAtMs - this.#deps.clock.now()), () => this.attend(tenantId, id))
  }

  /** Expired is expired, whether somebody has looked at it or not. */
  async #timely(approval: Approval): Promise<Approval> {
    if (approval.state !== 'pending' || approval.expiresAtMs > this.#deps.clock.now()) return approval
    const expired = await this.#changing.tryChange(approval, { is: 'expire' })
    if (expired !== undefined) void this.#advance(expired)
    return expired ?? found(await this.#store.get(approval.tenantId, approval.id))
  }

  async #detail(auth: AuthContext, approval: Approval): Promise<ApprovalDetail> {
    const tool = await this.#deps.toolNamed(approval.tenantId, approval.tool)
    const more = { description: tool?.description ?? null, parameters: tool?.parameters ?? null }
    // Its rows were asked in the query: who decided it may not see it as it is now, and is told all the same.
    return auth.masked('approvals', { ...viewOf(approval), ...more })
  }
}

/** What the hash binds a call to: the live session, or the conversation in writing. */
function sessionOf({
  origin,
  sessionId,
  conversationId,
}: Pick<Approval, 'origin' | 'sessionId' | 'conversationId'>): string {
  return origin === 'session' ? sessionId : conversationId
}

function approvalOf(call: ToolRun, nowMs: number): Approval {
  const { tenantId, sessionId, callId, name: tool, conversationId = '', contactId, caller, agent } = call
  const origin = call.isLive === true ? 'session' : 'message'
  const args = canonical(withoutNulls(objectOf(call.arguments) ?? {}))
  return {
    id: idOf('appr', tenantId, sessionId, callId),
    ...{ tenantId, origin, sessionId, conversationId, channel: call.channel ?? 'api', callId, tool, args },
    agent: { id: agent?.id ?? '', name: agent?.name ?? '', version: agent?.version ?? 0 },
    ...(contactId === undefined ? {} : { contactId }),
    ...(caller === undefined ? {} : { caller }),
    hash: hashOf({ tool, args, session: sessionOf({ origin, sessionId, conversationId }) }),
    ...{ state: 'pending', requestedAtMs: nowMs, expiresAtMs: nowMs + expiryMs, attempts: 0, delivery: 'none', rev: 0 },
  }
}
