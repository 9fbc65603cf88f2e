// Conversations as people and programs handle them: find, make, read, write, close. Rules T13–T16.

import type { AuthContext } from '../platform/access.ts'
import type { Clock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import { Problem } from '../platform/problem.ts'
import { rowFilter } from '../platform/row-filter.ts'
import type { ConversationView, ConversationWithMessages, MessageView } from '../protocol/chat.ts'
import type { Page } from '../protocol/rest.ts'
import type { Channel, Turn } from '../protocol/turn.ts'
import { answersOf, type CallsOf, type NewMessage, turnsOf } from './append.ts'
import {
  type Conversation,
  type ConversationChange,
  type ConversationQuery,
  type ConversationStore,
  conversationRowFields,
  type NewConversation,
} from './conversation-store.ts'
import { messageView } from './message-view.ts'
import type { TurnSums } from './turn-store.ts'

export type { NewMessage } from './append.ts'
export type { Conversation, ConversationChange, ConversationQuery, NewConversation } from './conversation-store.ts'

/** As one caller sees them: rows that are not theirs are not there, fields that are not theirs are left out. */
export interface ConversationReads {
  view(id: string): Promise<ConversationView | undefined>
  withMessages(id: string): Promise<ConversationWithMessages | undefined>
  /** The open one of this external id, else the latest that had it. */
  byExternalId(externalId: string, channel?: Channel): Promise<ConversationView | undefined>
  list(query: ConversationQuery): Promise<Page<ConversationView>>
  /** Oldest first. Undefined: nobody has the conversation. */
  messages(
    id: string,
    page: { readonly cursor?: string | undefined; readonly limit: number },
  ): Promise<Page<MessageView> | undefined>
}

/** Unrestricted by itself: for the gateway's own use. */
export interface TenantConversations extends ConversationReads {
  as(auth: AuthContext): ConversationReads
  get(id: string): Promise<Conversation | undefined>
  /** With an external id the open one that has it, the same for any number of callers at once. */
  create(wanted: NewConversation): Promise<Conversation>
  /** The contact's open one with the agent, over all channels; made on first use, by any number of callers at once. */
  shared(key: { readonly agentId: string; readonly contactId: string }, channel: Channel): Promise<Conversation>
  /** `not_found`; `conflict` for a change of status of a closed one. */
  update(id: string, change: ConversationChange): Promise<ConversationView>
  /** With all its messages. False: nobody has it. */
  remove(id: string): Promise<boolean>
  /** Names who writes in it, where that was not known. */
  link(id: string, contactId: string): Promise<void>
  /** All or none. `invalid` for a tool's result whose call is not there or has one; `not_found`, `conflict` (closed). */
  append(id: string, messages: readonly NewMessage[], channel?: Channel): Promise<readonly MessageView[]>
  /** So many positions for turns in writing, after all before; the first of them. `not_found` when there is no such conversation. */
  place(id: string, count: number): Promise<number>
}

/** What conversations need of the turns. */
export interface TurnsOf extends CallsOf {
  write(turns: readonly Turn[]): Promise<void>
  after(conversationId: string, page: { seq: number; limit: number }): Promise<readonly Turn[]>
  sums(conversationIds: readonly string[]): Promise<ReadonlyMap<string, TurnSums>>
  removeAll(conversationId: string): Promise<void>
}

/** A conversation is read whole up to this; what is longer is read in pages. */
const mostMessages = 1_000
const nothing: TurnSums = { messageCount: 0, tokensUsed: 0, costUsdMicro: 0, creditsMicro: 0 }

interface Needs {
  readonly store: ConversationStore
  readonly tenantId: TenantId
  readonly turns: TurnsOf
  readonly clock: Clock
}

export function createConversations(needs: Needs): TenantConversations {
  return { ...reading(needs, undefined), as: (auth) => reading(needs, auth), ...writing(needs) }
}

function viewing({ tenantId, store, turns }: Needs) {
  const views = async (found: readonly Conversation[]): Promise<ConversationView[]> => {
    const sums = found.length === 0 ? new Map<string, TurnSums>() : await turns.sums(found.map((each) => each.id))
    return found.map((each) => ({ ...each, ...(sums.get(each.id) ?? nothing) }))
  }
  const viewOf = async (found: Conversation | undefined): Promise<ConversationView | undefined> =>
    found === undefined ? undefined : (await views([found]))[0]
  return { views, viewOf, view: async (id: string) => viewOf(await store.get(tenantId, id)) }
}

function reading(needs: Needs, auth: AuthContext | undefined): ConversationReads {
  const { store, tenantId, turns } = needs
  const { views } = viewing(needs)
  const rows = (auth && rowFilter(auth.rows('conversations'), auth, conversationRowFields)) ?? {}
  const masked = <T extends object>(record: T): T => auth?.masked('conversations', record) ?? record
  const viewOf = async (conversation: Conversation | undefined): Promise<ConversationView | undefined> =>
    conversation === undefined ? undefined : (await views([conversation])).map(masked)[0]
  const view = async (id: string) => viewOf(await store.get(tenantId, id, rows))
  return {
    view,
    async withMessages(id) {
      const found = await view(id)
      if (found === undefined) return undefined
      const all = await turns.after(id, { seq: -1, limit: mostMessages })
      return { ...found, messages: all.map(messageView) }
    },
    byExternalId: async (externalId, channel) =>
      viewOf(await store.byExternalId(tenantId, externalId, { channel, rows })),
    async list(query) {
      const found = await store.list(tenantId, query, rows)
      const items = await views(found.slice(0, query.limit))
      const last = items.at(-1)
      const more = found.length > query.limit && last !== undefined
      return { items: items.map(masked), next: more ? `${Date.parse(last.updatedAt)}.${last.id}` : null }
    },
    async messages(id, { cursor, limit }) {
      if ((await store.get(tenantId, id, rows)) === undefined) return undefined
      const seq = cursor !== undefined && /^\d{1,16}$/.test(cursor) ? Number(cursor) : -1
      const found = await turns.after(id, { seq, limit: limit + 1 })
      const page = found.slice(0, limit)
      const last = page.at(-1)
      return {
        items: page.map(messageView),
        next: found.length > limit && last !== undefined ? String(last.seq) : null,
      }
    },
  }
}

function writing(needs: Needs): Omit<TenantConversations, keyof ConversationReads | 'as'> {
  const { store, tenantId, turns } = needs
  const { viewOf } = viewing(needs)
  const place = async (id: string, count: number): Promise<number> => found(await store.place(tenantId, id, count))
  return {
    get: (id) => store.get(tenantId, id),
    create: (wanted) => store.create(tenantId, wanted),
    shared: (key, channel) => store.findOrCreate(tenantId, key, channel),
    async update(id, change) {
      const changed = await store.change(tenantId, id, change)
      if (changed === undefined) {
        found(await store.get(tenantId, id))
        throw new Problem('conflict', 'This conversation is closed.')
      }
      return found(await viewOf(changed))
    },
    async remove(id) {
      const is = await store.remove(tenantId, id)
      await turns.removeAll(id)
      return is
    },
    link: (id, contactId) => store.link(tenantId, id, contactId),
    async append(id, messages, channel) {
      const conversation = found(await store.get(tenantId, id))
      if (conversation.status === 'closed') throw new Problem('conflict', 'This conversation is closed.')
      const answers = await answersOf(turns, id, messages)
      const made = turnsOf(messages, {
        ...{ conversationId: id, channel: channel ?? conversation.channel, answers },
        ...{ seq: await place(id, messages.length), at: new Date(needs.clock.now()).toISOString() },
      })
      await turns.write(made)
      return made.map(messageView)
    },
    place,
  }
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Problem('not_found')
  return value
}
