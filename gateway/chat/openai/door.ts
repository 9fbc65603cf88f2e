// From a request of the original's API to one message of chat: which agent, what the client may, which conversation.

import type { Agents, Brief } from '../../agents/agents.ts'
import type { AuthContext } from '../../platform/access.ts'
import type { Clock } from '../../platform/clock.ts'
import type { RequestFacts } from '../../platform/http.ts'
import { newId, type TenantId } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'
import type { ChatEvent, ChatReply, InboundMessage } from '../message.ts'
import type { Asking } from './completion-request.ts'
import { askingFor, inFormat } from './format.ts'
import { notAllowed, wrong } from './refusal.ts'
import { questionOf, type Said } from './said.ts'
import { markAfter, markOf } from './thread.ts'
import type { ThreadStore } from './thread-store.ts'

export interface DoorDeps {
  readonly agents: Pick<Agents, 'of' | 'resolve'>
  readonly chat: {
    of(tenantId: TenantId): { process(message: InboundMessage, on: (event: ChatEvent) => void): Promise<ChatReply> }
  }
  readonly threads: ThreadStore
  readonly clock: Clock
}

export interface Caller {
  readonly auth: AuthContext
  readonly facts: RequestFacts
}

/** A conversation that is known already: of a response before this one, or named by the client. */
export interface Known {
  readonly conversationId?: string | undefined
}

/** One answer under way. */
export interface Running {
  readonly agentId: string
  /** Rejects where the message is refused before anything of it is answered. */
  readonly accepted: Promise<void>
  readonly done: Promise<ChatReply>
}

export async function run(
  deps: DoorDeps,
  { auth, facts }: Caller,
  asked: { readonly asking: Asking; readonly known?: Known; readonly onText: (delta: string) => void },
): Promise<Running> {
  const { asking, known = {} } = asked
  const { tenantId } = auth
  const brief = await briefOf(deps, auth, asking.model)
  const question = questionOf(asking.said, asking.param)
  const instructions = allowed(brief, asking, question)
  const scope = [tenantId, brief.agentId] as const
  const message: InboundMessage = {
    ...{ channel: 'api', agentId: brief.agentId, auth, keyId: auth.actor.id, ip: facts.ip },
    ...{ text: question.text, history: question.history, messageId: facts.header('idempotency-key') },
    sender: { externalId: asking.user, vouched: true },
    thread: await threadOf(deps, scope, { asking, known }),
    ...{ clientTools: asking.tools, toolChoice: asking.toolChoice },
    ...{ instructions, temperature: asking.temperature, maxTokens: asking.maxTokens },
  }
  const accepted = Promise.withResolvers<void>()
  const isJson = asking.format.is !== 'text'
  const process = deps.chat.of(tenantId).process(message, (event) => {
    if (event.type === 'accepted' || event.type === 'text') accepted.resolve()
    // JSON is looked at before anybody sees it.
    if (event.type === 'text' && !isJson) asked.onText(event.delta)
  })
  const done = process.then(async (reply) => {
    const whole = isJson ? inJson(reply, asking) : reply
    await remember(deps, scope, { asking, reply: whole })
    if (isJson && whole.text !== '') asked.onText(whole.text)
    return whole
  })
  done.then(() => accepted.resolve(), accepted.reject)
  accepted.promise.catch(() => undefined)
  return { agentId: brief.agentId, accepted: accepted.promise, done }
}

async function briefOf({ agents }: DoorDeps, auth: AuthContext, slug: string): Promise<Brief> {
  const agent = await agents.of(auth.tenantId).bySlug(slug)
  const trusted = auth.actor.kind !== 'visitor'
  const brief =
    agent === undefined || !auth.may('chat.create', agent.id)
      ? undefined
      : await agents.resolve({ tenantId: auth.tenantId, agentId: agent.id, channel: 'api', trusted })
  if (brief === undefined)
    throw new Problem(
      'unknown_agent',
      'There is no such model: models are the active agents of this tenant, by slug.',
      { param: 'model' },
    )
  return brief
}

/** The config of the agent is the authority. Refused rather than dropped: the client would believe that it holds. */
function allowed(brief: Brief, asking: Asking, question: ReturnType<typeof questionOf>): string | undefined {
  if (asking.tools.length > 0 && !brief.clientTools)
    throw notAllowed('tools', 'This agent takes no tools of its clients.')
  const clash = asking.tools.findIndex(({ name }) => brief.tools.includes(name))
  if (clash !== -1) throw wrong(`tools[${clash}]`, 'The agent has a tool of this name')
  if (question.instructionsParam !== undefined && !brief.mutable.includes('instructions'))
    throw notAllowed(question.instructionsParam, 'This agent takes no instructions of its clients.')
  const all = [question.instructions, askingFor(asking.format)].filter((each) => each.trim() !== '')
  return all.length === 0 ? undefined : all.join('\n\n')
}

async function threadOf(
  { threads }: DoorDeps,
  scope: readonly [tenantId: AuthContext['tenantId'], agentId: string],
  { asking, known }: { readonly asking: Asking; readonly known: Known },
): Promise<InboundMessage['thread']> {
  if (known.conversationId !== undefined) return { id: known.conversationId }
  if (asking.thread !== undefined) return { externalId: asking.thread }
  const mark = markOf(scope, asking.said)
  const id = mark === undefined ? undefined : await threads.conversation(scope[0], mark)
  if (id !== undefined) return { id }
  // Of a person who is known by name there is one open conversation; anybody else begins one.
  return asking.user === undefined ? { externalId: newId('conv') } : undefined
}

async function remember(
  { threads, clock }: DoorDeps,
  scope: readonly [tenantId: AuthContext['tenantId'], agentId: string],
  { asking, reply }: { readonly asking: Asking; readonly reply: ChatReply },
): Promise<void> {
  const mark = markAfter(scope, asking.said, answerSaid(reply))
  if (mark !== undefined) await threads.put(scope[0], mark, reply.conversationId, new Date(clock.now()))
}

export function answerSaid({ text, toolCalls }: ChatReply): Extract<Said, { is: 'agent' }> {
  return {
    is: 'agent',
    text,
    calls: toolCalls.map(({ callId: id, name, arguments: args }) => ({ id, name, arguments: args })),
  }
}

function inJson(reply: ChatReply, { format }: Asking): ChatReply {
  if (reply.finish !== 'stop') return reply
  const text = inFormat(reply.text, format)
  if (text === undefined) throw new Problem('unavailable', 'The model did not answer in the format that was asked for.')
  return { ...reply, text }
}
