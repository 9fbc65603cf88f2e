// What was said. Owns conversations and their turns; every write carries tenant, channel and session.
// Never decides what was heard: it is told by the session's recorder.

import type { Db } from 'mongodb'
import { type Clock, systemClock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import type { Log } from '../platform/log.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import type { Turn } from '../protocol/turn.ts'
import { conversationStore } from './conversation-store.ts'
import { createConversations, type TenantConversations } from './conversations.ts'
import { type CallKey, type Outcome, type Settled, turnStore, type Version } from './turn-store.ts'
import { createTurnWriter, type TurnWriter, type WriteBy, type Written } from './turn-writer.ts'
import { openProcessWal, type ReplayReport, type Wal, type WalOptions, type WalRecord } from './wal.ts'

export type { Conversation, ConversationChange, TenantConversations } from './conversations.ts'
export type { Lease, TurnWriter, WriteBy, Written } from './turn-writer.ts'
export type { ReplayReport, Wal, WalOptions } from './wal.ts'

export interface TenantTranscript {
  readonly conversations: TenantConversations
  /** The one open conversation between a contact and an agent; made on first use, by any number of callers at once. */
  conversation(key: { readonly agentId: string; readonly contactId: string }): Promise<string>
  /** For a live session: retries for ever, keeps what waits on disk too, stops when the session has another owner. */
  writer(by: WriteBy): TurnWriter
  /**
   * One attempt: inserts or updates, resolves when durable, rejects when the store failed. `createdAt`, `seq` and the
   * tags of a stored turn never change; neither does anything a later epoch wrote. Default epoch: 1.
   */
  write(turns: readonly Turn[]): Promise<void>
  write(turns: readonly Turn[], by: Pick<WriteBy, 'epoch'>): Promise<Written>
  /** Oldest first; the last `limit` of the conversation. */
  ofConversation(conversationId: string, limit: number): Promise<readonly Turn[]>
  ofSession(sessionId: string): Promise<readonly Turn[]>
  /** How a call ended that waited for a person. False: none of this id waits. Not while a session holds the turn. */
  settleCall(of: CallKey, how: Omit<Settled, 'rev'>): Promise<boolean>
  /** For a new owner, before it reads: owners before `epoch` change no stored turn of the session any more. */
  fence(sessionId: string, by: Pick<WriteBy, 'epoch'>): Promise<void>
  /**
   * A session that died mid-sentence: what was still partial becomes final as far as it was stored, under a fence of
   * `epoch` (default 1). What is replayed later of a process that died may still complete it.
   */
  closePartial(sessionId: string, by?: Pick<WriteBy, 'epoch'>): Promise<number>
}

export interface Transcript {
  of(tenantId: TenantId): TenantTranscript
  /** False: what the store does not take cannot be kept on disk either. New sessions are better refused. */
  readonly healthy: boolean
  /** Writes what dead processes left on disk. Rejects when the store fails; the files stay. */
  replay(): Promise<ReplayReport>
}

export interface TranscriptDeps {
  readonly db: Db
  readonly clock?: Clock
  readonly log?: Log
  readonly wal?: Wal
}

/** For the process: what the store does not take is kept in `dir`. Throws when the folder cannot be used. */
export function openWal(options: WalOptions): Promise<Wal> {
  return openProcessWal(options)
}

export const transcriptCollections: readonly CollectionSpec[] = [conversationStore.spec, turnStore.spec]

export function createTranscript({ db, clock = systemClock, log, wal }: TranscriptDeps): Transcript {
  const conversations = conversationStore.open(db, clock)
  const turns = turnStore.open(db, clock)
  const onAttempt = createOutage(log)

  async function write(tenantId: TenantId, batch: readonly Turn[], epoch: number): Promise<Written> {
    const versions = batch.map((turn) => ({ turn, epoch, rev: turns.nextRev() }))
    return { fenced: fencedOf(versions, await turns.write(tenantId, { versions })) }
  }
  async function store(records: readonly WalRecord[]): Promise<number> {
    let fenced = 0
    for (const [tenantId, mine] of Map.groupBy(records, (record) => record.tenantId)) {
      // Whoever would have gone on with a partial turn is dead.
      const versions = mine.map(({ turn, epoch, rev }) => ({ turn: closed(turn), epoch, rev }))
      fenced += fencedOf(versions, await turns.write(tenantId, { versions, late: true })).length
    }
    return fenced
  }

  return {
    get healthy() {
      return wal?.healthy ?? true
    },
    replay: async () => (await wal?.replay(store)) ?? { files: 0, turns: 0, fenced: 0, damaged: 0 },
    of: (tenantId) => ({
      conversations: createConversations({
        store: conversations,
        tenantId,
        clock,
        turns: {
          write: async (batch) => void (await write(tenantId, batch, 1)),
          after: (id, page) => turns.after(tenantId, id, page),
          sums: (ids) => turns.sums(tenantId, ids),
          calls: (id, callIds) => turns.calls(tenantId, id, callIds),
          removeAll: (id) => turns.removeAll(tenantId, id),
        },
      }),
      conversation: async (key) => (await conversations.findOrCreate(tenantId, key)).id,
      writer: (by) =>
        createTurnWriter(by, {
          clock,
          tenantId,
          nextRev: turns.nextRev,
          store: (batch) => turns.write(tenantId, batch),
          wal,
          onAttempt,
        }),
      write: ((batch: readonly Turn[], by?: Pick<WriteBy, 'epoch'>) =>
        write(tenantId, batch, by?.epoch ?? 1)) as TenantTranscript['write'],
      ofConversation: (conversationId, limit) => turns.ofConversation(tenantId, conversationId, limit),
      ofSession: (sessionId) => turns.ofSession(tenantId, sessionId),
      settleCall: (of, how) => turns.settleCall(tenantId, of, { ...how, rev: turns.nextRev() }),
      fence: (sessionId, { epoch }) => turns.fence(tenantId, sessionId, epoch),
      async closePartial(sessionId, { epoch } = { epoch: 1 }) {
        // The fence first: then nobody before can open again what is closed here.
        await turns.fence(tenantId, sessionId, epoch)
        return turns.closePartial(tenantId, sessionId, epoch)
      },
    }),
  }
}

function closed(turn: Turn): Turn {
  return turn.state === 'partial' ? { ...turn, state: 'final' } : turn
}

/** Throws what the store said about a single turn. */
function fencedOf(versions: readonly Version[], outcomes: readonly Outcome[] | undefined): string[] {
  const fenced: string[] = []
  for (const [at, outcome] of (outcomes ?? []).entries()) {
    if (outcome.is === 'failed') throw outcome.error
    if (outcome.is === 'fenced') fenced.push(versions[at]?.turn.id ?? '')
  }
  return fenced
}

/** One line per outage, whatever number of sessions notice it. */
function createOutage(log: Log | undefined): (error: unknown) => void {
  let isDown = false
  return (error) => {
    if (error !== undefined && !isDown) log?.warn({ event: 'turns_waiting', reason: reasonOf(error) })
    if (error === undefined && isDown) log?.info({ event: 'turns_stored' })
    isDown = error !== undefined
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message.split('\n')[0] ?? ''}` : String(error)
}
