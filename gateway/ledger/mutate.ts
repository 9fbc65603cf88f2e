// The one primitive that moves credit: read account → outbox → ledger → compare-and-swap, until done. Rules L1 and L2.

import type { Clock } from '../platform/clock.ts'
import { withDeadline } from '../platform/deadline.ts'
import type { TenantId } from '../platform/ids.ts'
import { Problem } from '../platform/problem.ts'
import type { Account, Entry, Operation } from './account.ts'
import type { AccountStore } from './account-store.ts'
import type { EntryStore } from './entry-store.ts'
import { perform } from './perform.ts'

export type Mutate = <Answer>(tenantId: TenantId, operation: Operation<Answer>) => Promise<Answer>

/** The driver waits for ever for a store that accepts and does not answer; after this the reply counts as lost. */
const attemptMs = 5_000
/** Each round lost means another process won one: this many in a row is a fault, not contention. */
const maxRounds = 1_000
/** Lost replies before the caller hears `unavailable`: about a second of refused connections, 25 s of silence. */
const maxLost = 4
/** A larger outbox is moved by the next mutation itself, so that the account stays small when nobody flushes. */
const outboxCap = 64

export interface MutateDeps {
  readonly accounts: AccountStore
  readonly entries: EntryStore
  readonly clock: Clock
  /** From [0, 1). */
  readonly random: () => number
}

export function createMutate(deps: MutateDeps): Mutate {
  const turn = createTurns()
  return (tenantId, operation) => turn(tenantId, () => attempt(deps, tenantId, operation))
}

async function attempt<Answer>(deps: MutateDeps, tenantId: TenantId, operation: Operation<Answer>): Promise<Answer> {
  const { clock, random } = deps
  let lost = 0
  for (let round = 0; round < maxRounds; round++) {
    try {
      const answer = await answerInTime(once(deps, tenantId, operation), clock)
      if (answer !== undefined) return answer.value
      if (round > 0) await pause(clock, random() * Math.min(round, 20))
    } catch (error) {
      if (!isLostReply(error)) throw error
      if (++lost > maxLost) throw new Problem('unavailable', undefined, { cause: error })
      await pause(clock, random() * 10 * 4 ** (lost - 1))
    }
  }
  throw new Problem('unavailable')
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve))
}

class NoReply extends Problem {}

/** Rejects when there is none in time. What was sent may still happen: the caller has to look again or be told so. */
export function answerInTime<T>(answer: Promise<T>, clock: Clock): Promise<T> {
  const fallback = (): never => {
    throw new NoReply('unavailable', 'The store did not answer in time.')
  }
  return withDeadline<T>(answer, { timeoutMs: attemptMs, fallback, clock })
}

/** Undefined: start again. The order account, then ledger, matters: the flusher writes the ledger before it clears the outbox. */
async function once<Answer>(
  { accounts, entries }: Pick<MutateDeps, 'accounts' | 'entries'>,
  tenantId: TenantId,
  operation: Operation<Answer>,
): Promise<{ value: Answer } | undefined> {
  const account = await accounts.find(tenantId)
  if (account === undefined) {
    await accounts.create(tenantId)
    return undefined
  }
  const key = operation.key(account)
  const done = account.outbox.get(key) ?? (await entries.find(tenantId, key))
  const { about } = operation
  const history = about === undefined ? [] : await historyOf(entries, { tenantId, account, grantId: about })
  if (done !== undefined) return { value: operation.replay(done, account, history) }
  const outcome = perform(account, operation, history)
  if (outcome.is === 'refuse') return { value: outcome.answer }
  if (account.outbox.size >= outboxCap) {
    await entries.append(tenantId, account)
    await accounts.clear(tenantId, account)
  }
  const entry = await accounts.swap(tenantId, account, outcome)
  return entry === undefined ? undefined : { value: outcome.answer(entry) }
}

/** Complete at the version read, for the reason above. */
async function historyOf(
  entries: EntryStore,
  { tenantId, account, grantId }: { tenantId: TenantId; account: Account; grantId: string },
): Promise<readonly Entry[]> {
  const waiting = [...account.outbox.values()].filter((entry) => entry.key === grantId || entry.ofGrant === grantId)
  const stored = await entries.ofGrant(tenantId, grantId)
  const seen = new Map([...stored, ...waiting].map((entry) => [entry.key, entry]))
  return [...seen.values()].filter((entry) => entry.seq <= account.version)
}

const lostNames = [
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoOperationTimeoutError',
  'MongoPoolClearedError',
  'MongoServerSelectionError',
  'MongoWriteConcernError',
]

/** The write may or may not have happened: only looking again can tell. */
export function isLostReply(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof NoReply || lostNames.includes(error.name)) return true
  return (
    'errorLabelSet' in error && error.errorLabelSet instanceof Set && error.errorLabelSet.has('RetryableWriteError')
  )
}

/** One mutation per tenant at a time in this process: only other processes are left to lose a round to. */
function createTurns() {
  const tails = new Map<string, Promise<unknown>>()
  return async <T>(tenantId: string, run: () => Promise<T>): Promise<T> => {
    const before = tails.get(tenantId)
    const mine = (before ?? Promise.resolve()).then(run, run)
    tails.set(tenantId, mine)
    try {
      return await mine
    } finally {
      if (tails.get(tenantId) === mine) tails.delete(tenantId)
    }
  }
}
