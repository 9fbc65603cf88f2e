// Chat over HTTP: one message in, its reply as JSON or as a stream of events.

import { z } from 'zod'
import type { Agents } from '../agents/agents.ts'
import type { Clock } from '../platform/clock.ts'
import { eventStream, eventStreamHeaders, type ServerSent } from '../platform/event-stream.ts'
import { type Route, type RouteInput, type RouteReply, route } from '../platform/http.ts'
import { asProblem, Problem } from '../platform/problem.ts'
import type { ChatReplyView } from '../protocol/chat.ts'
import type { Chat } from './chat.ts'
import type { ChatEvent, ChatReply, InboundMessage } from './message.ts'
import { chatReply } from './views.ts'

const id = z.string().min(1).max(80)
const message = {
  message: z.string().trim().min(1).max(32_000),
  /** A conversation to go on with. */
  threadId: id.optional(),
  /** The caller's own name of it: found or made. */
  externalThreadId: z.string().min(1).max(200).optional(),
  messageId: z
    .string()
    .regex(/^[\w.:-]{1,128}$/)
    .optional(),
  /** Who wrote, as the tenant's own backend knows them. */
  contact: z
    .strictObject({
      id: id.optional(),
      visitorId: z.string().min(1).max(128).optional(),
      email: z.email().max(254).optional(),
      phone: z.string().min(5).max(40).optional(),
    })
    .optional(),
  stream: z.boolean().default(false),
}
const bySlug = z.strictObject(message)
type Asked = z.output<typeof bySlug>

export interface ChatRouteDeps {
  readonly chat: Chat
  readonly agents: Pick<Agents, 'of'>
  readonly clock: Clock
}

const event = z.unknown()
const shared = {
  audit: 'refusals',
  method: 'POST',
  access: 'chat.create',
  visitors: true,
  reply: chatReply,
  replies: [{ type: 'text/event-stream', schema: event }],
} as const

export function chatRoutes(deps: ChatRouteDeps): Route[] {
  return [
    route({
      ...shared,
      path: '/v1/chat',
      summary: 'A message to an agent, and its reply; streamed with `stream: true` or `Accept: text/event-stream`.',
      body: z.strictObject({ ...message, agentId: id.optional() }),
      run: async (input) => {
        const { agentId = input.visitor?.agentId, ...asked } = input.body
        if (agentId === undefined) throw new Problem('invalid', 'Name an agent by agentId.')
        return answered(deps, input, { asked, agentId })
      },
    }),
    route({
      ...shared,
      path: '/v1/agents/:slug/chat',
      summary: 'The same to the agent of this slug.',
      params: z.strictObject({ slug: z.string().min(1).max(40) }),
      body: bySlug,
      run: async (input) => {
        const agent = await deps.agents.of(input.tenantId).bySlug(input.params.slug)
        if (agent === undefined) throw new Problem('unknown_agent')
        return answered(deps, input, { asked: input.body, agentId: agent.id })
      },
    }),
  ]
}

type Input = Pick<RouteInput<unknown, unknown, unknown>, 'auth' | 'facts' | 'tenantId' | 'visitor'>

async function answered(
  deps: ChatRouteDeps,
  input: Input,
  { asked, agentId }: { readonly asked: Asked; readonly agentId: string },
): Promise<RouteReply> {
  const inbound = inboundOf(input, asked, agentId)
  const chat = deps.chat.of(input.tenantId)
  const wantsStream = asked.stream || /\btext\/event-stream\b/.test(input.facts.header('accept') ?? '')
  if (!wantsStream) return { json: viewOf(await chat.process(inbound)) }
  return streamed(deps.clock, (on) => chat.process(inbound, on))
}

function inboundOf({ auth, facts, visitor }: Input, asked: Asked, agentId: string): InboundMessage {
  const { message: text, messageId, threadId, externalThreadId, contact = {} } = asked
  const shared = {
    text,
    messageId,
    agentId,
    auth,
    ip: facts.ip,
    thread: { id: threadId, externalId: externalThreadId },
  }
  if (visitor !== undefined) {
    if (agentId !== visitor.agentId) throw new Problem('unknown_agent')
    if (asked.contact !== undefined) throw new Problem('forbidden', 'The token says who writes.')
    const sender = { contactId: visitor.contactId, vouched: false }
    return { ...shared, channel: visitor.channel, keyId: visitor.keyId, sender }
  }
  const { id: contactId, ...known } = contact
  return {
    ...shared,
    channel: auth.actor.kind === 'operator' ? 'console' : 'api',
    keyId: auth.actor.id,
    sender: { contactId, ...known, vouched: true },
  }
}

function viewOf({ toolCalls: _none, ...reply }: ChatReply): ChatReplyView {
  return reply
}

/**
 * Events: `accepted`, then `intent`, `delegation`, `text`, `tool_call`, `tool_result`, `cards` and `visual` as they come, then `done` with the whole reply, or `error`. What
 * is refused before it is accepted is an ordinary problem with its status. Who goes away is answered all the same.
 */
async function streamed(
  clock: Clock,
  process: (on: (event: ChatEvent) => void) => Promise<ChatReply>,
): Promise<RouteReply> {
  const waiting: ServerSent[] = []
  let send = (each: ServerSent): void => void waiting.push(each)
  const accepted = Promise.withResolvers<void>()
  const reply = process((each) => {
    const sent = sentOf(each)
    if (sent !== undefined) send(sent)
    if (each.type === 'accepted') accepted.resolve()
  })
  await Promise.race([accepted.promise, reply])
  const stream = eventStream(clock, async (out) => {
    for (const each of waiting) out(each)
    send = out
    try {
      out({ event: 'done', data: viewOf(await reply) })
    } catch (thrown) {
      out({ event: 'error', data: { error: asProblem(thrown).body() } })
    }
  })
  return { stream, headers: eventStreamHeaders }
}

function sentOf(each: ChatEvent): ServerSent | undefined {
  switch (each.type) {
    case 'accepted':
      return { event: 'accepted', data: { messageId: each.messageId, conversationId: each.conversationId } }
    case 'text':
      return { event: 'text', data: { delta: each.delta } }
    case 'toolCall':
      return { event: 'tool_call', data: { callId: each.callId, name: each.name } }
    case 'toolResult':
      return {
        event: 'tool_result',
        data: { callId: each.callId, name: each.name, ok: each.ok, ...(each.is === undefined ? {} : { is: each.is }) },
      }
    case 'intent':
    case 'delegation':
    case 'cards':
    case 'visual': {
      const { type, ...data } = each
      return { event: type, data }
    }
    case 'step':
      return undefined
  }
}
