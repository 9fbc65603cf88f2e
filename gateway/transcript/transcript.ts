// What was said. Owns conversations and their turns; every write carries tenant, channel and session.
// Never decides what was heard: it is told by the session's recorder.

import type { Db } from 'mongodb'
import type { TenantId } from '../platform/ids.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import type { Turn } from '../protocol/turn.ts'
import { conversationStore, turnStore } from './store.ts'

export interface TenantTranscript {
  /** The one open conversation between a contact and an agent; made on first use, by any number of callers at once. */
  conversation(key: { readonly agentId: string; readonly contactId: string }): Promise<string>
  /** Inserts or updates. `createdAt`, `seq` and the tags of a stored turn never change. Resolves when durable. */
  write(turns: readonly Turn[]): Promise<void>
  /** Oldest first; the last `limit` of the conversation. */
  ofConversation(conversationId: string, limit: number): Promise<readonly Turn[]>
  ofSession(sessionId: string): Promise<readonly Turn[]>
  /** A session that died mid-sentence: what was still partial becomes final as far as it was stored. */
  closePartial(sessionId: string): Promise<number>
}

export interface Transcript {
  of(tenantId: TenantId): TenantTranscript
}

export const transcriptCollections: readonly CollectionSpec[] = [conversationStore.spec, turnStore.spec]

export function createTranscript(deps: { readonly db: Db }): Transcript {
  const conversations = conversationStore.open(deps.db)
  const turns = turnStore.open(deps.db)
  return {
    of: (tenantId) => ({
      conversation: (key) => conversations.findOrCreate(tenantId, key),
      write: (batch) => turns.write(tenantId, batch),
      ofConversation: (conversationId, limit) => turns.ofConversation(tenantId, conversationId, limit),
      ofSession: (sessionId) => turns.ofSession(tenantId, sessionId),
      closePartial: (sessionId) => turns.closePartial(tenantId, sessionId),
    }),
  }
}
