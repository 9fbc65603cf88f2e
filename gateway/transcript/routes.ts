// Conversations over HTTP: lists, one with its messages, making, writing, handing over, closing, removing.

import { z } from 'zod'
import type { AuthContext } from '../platform/access.ts'
import { type Route, route } from '../platform/http.ts'
import { pageOf, pageQuery } from '../platform/page.ts'
import { found } from '../platform/problem.ts'
import type { ConversationView } from '../protocol/chat.ts'
import { channels } from '../protocol/turn.ts'
import type { ConversationChange, TenantConversations, Transcript } from './transcript.ts'
import { conversationReply, conversationWithMessages, messageReply } from './views.ts'

const id = z.string().min(1).max(80)
const byId = z.strictObject({ id })
const externalId = z.string().min(1).max(200)
/** A document of the store is small. */
const metadataChars = 8_000
const metadata = z
  .record(z.string().max(100), z.unknown())
  .refine((value) => JSON.stringify(value).length <= metadataChars, `at most ${metadataChars} characters of JSON`)
const statuses = ['active', 'closed', 'handed_off'] as const
const toolCall = z.strictObject({
  id: z.string().min(1).max(200),
  name: z.string().min(1).max(64),
  arguments: z.string().max(16_384),
})
const newMessage = z.strictObject({
  role: z.enum(['user', 'assistant', 'tool', 'system']),
  content: z.string().max(32_000),
  toolCalls: z.array(toolCall).max(32).optional(),
  toolCallId: z.string().min(1).max(200).optional(),
})

export interface ConversationRouteDeps {
  readonly transcript: Transcript
  /** `not_found` for an agent of nobody's or another tenant's. */
  readonly requireAgent: (auth: AuthContext, agentId: string) => Promise<void>
}

export function conversationRoutes(deps: ConversationRouteDeps): Route[] {
  const of = (auth: AuthContext) => deps.transcript.of(auth.tenantId).conversations
  return [...reads(of), ...writes(of, deps), ...changes(of), activityRoute(of, deps)]
}

type Of = (auth: AuthContext) => TenantConversations

function reads(of: Of): Route[] {
  const shared = { method: 'GET', access: 'conversations.read' } as const
  return [
    route({
      ...shared,
      path: '/v1/conversations',
      summary: 'Conversations, those with the latest message first.',
      query: z.strictObject({
        ...pageQuery,
        agentId: id.optional(),
        contactId: id.optional(),
        channel: z.enum(channels).optional(),
        status: z.enum(statuses).optional(),
      }),
      reply: pageOf(conversationReply),
      run: async ({ auth, query }) => ({ json: await of(auth).as(auth).list(query) }),
    }),
    route({
      ...shared,
      path: '/v1/conversations/:id',
      summary: 'One conversation; with `messages=true` with what was said and written in it.',
      params: byId,
      query: z.strictObject({ messages: z.stringbool().default(false) }),
      reply: z.union([conversationReply, conversationWithMessages]),
      run: async ({ auth, params, query }) => {
        const reads = of(auth).as(auth)
        return { json: found(await (query.messages ? reads.withMessages(params.id) : reads.view(params.id))) }
      },
    }),
    route({
      ...shared,
      path: '/v1/conversations/by-external/:externalId',
      summary: 'The open conversation of an external id, else the latest that had it.',
      params: z.strictObject({ externalId }),
      query: z.strictObject({ channel: z.enum(channels).optional() }),
      reply: conversationReply,
      run: async ({ auth, params, query }) => ({
        json: found(await of(auth).as(auth).byExternalId(params.externalId, query.channel)),
      }),
    }),
    route({
      ...shared,
      path: '/v1/conversations/:id/messages',
      summary: 'Messages of a conversation, oldest first.',
      params: byId,
      query: z.strictObject(pageQuery),
      reply: pageOf(messageReply),
      run: async ({ auth, params, query }) => ({ json: found(await of(auth).as(auth).messages(params.id, query)) }),
    }),
  ]
}

function writes(of: Of, { requireAgent }: ConversationRouteDeps): Route[] {
  const shared = { method: 'POST', access: 'conversations.write', status: 201 } as const
  return [
    route({
      ...shared,
      path: '/v1/conversations',
      summary: 'A new conversation; with an external id the open one that has it, the same for everybody who asks.',
      body: z.strictObject({
        agentId: id,
        channel: z.enum(channels).default('api'),
        contactId: id.optional(),
        externalId: externalId.optional(),
        metadata: metadata.optional(),
      }),
      reply: conversationReply,
      run: async ({ auth, body }) => {
        await requireAgent(auth, body.agentId)
        const made = await of(auth).create(body)
        return { json: found(await of(auth).as(auth).view(made.id)) }
      },
    }),
    route({
      ...shared,
      path: '/v1/conversations/:id/messages',
      summary: 'Adds messages as they are: nobody answers them. A tool’s result names a call that is there.',
      params: byId,
      body: z.strictObject({ messages: z.array(newMessage).min(1).max(100) }),
      reply: z.strictObject({ items: z.array(messageReply) }),
      run: async ({ auth, params, body }) => {
        found(await of(auth).as(auth).view(params.id))
        return { json: { items: await of(auth).append(params.id, body.messages) } }
      },
    }),
  ]
}

function changes(of: Of): Route[] {
  const shared = { access: 'conversations.write', params: byId } as const
  const change = async (auth: AuthContext, which: string, to: ConversationChange): Promise<ConversationView> => {
    found(await of(auth).as(auth).view(which))
    await of(auth).update(which, to)
    return found(await of(auth).as(auth).view(which))
  }
  const reply = conversationReply
  return [
    route({
      ...{ ...shared, method: 'PATCH', path: '/v1/conversations/:id', reply },
      summary: 'Changes the metadata or the status of a conversation.',
      body: z.strictObject({ metadata: metadata.optional(), status: z.enum(statuses).optional() }),
      run: async ({ auth, params, body }) => ({ json: await change(auth, params.id, body) }),
    }),
    route({
      ...{ ...shared, method: 'POST', path: '/v1/conversations/:id/hand-off', reply },
      summary: 'A person answers from now on: messages are stored, the agent is silent.',
      run: async ({ auth, params }) => ({ json: await change(auth, params.id, { status: 'handed_off' }) }),
    }),
    route({
      ...{ ...shared, method: 'POST', path: '/v1/conversations/:id/close', reply },
      summary: 'Ends a conversation; what the contact writes next begins a new one.',
      run: async ({ auth, params }) => ({ json: await change(auth, params.id, { status: 'closed' }) }),
    }),
    route({
      ...{ ...shared, method: 'DELETE', path: '/v1/conversations/:id' },
      summary: 'Removes a conversation and all its messages.',
      run: async ({ auth, params }) => {
        found(await of(auth).as(auth).view(params.id))
        await of(auth).remove(params.id)
        return {}
      },
    }),
  ]
}

function activityRoute(of: Of, { requireAgent }: ConversationRouteDeps): Route {
  return route({
    method: 'GET',
    path: '/v1/agents/:id/activity',
    access: 'conversations.read',
    summary: 'What an agent has been talking about: its conversations with messages, tokens and cost.',
    params: byId,
    query: z.strictObject(pageQuery),
    reply: pageOf(conversationReply),
    run: async ({ auth, params, query }) => {
      await requireAgent(auth, params.id)
      return {
        json: await of(auth)
          .as(auth)
          .list({ ...query, agentId: params.id }),
      }
    },
  })
}
