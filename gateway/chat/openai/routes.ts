// The original's HTTP on chat's front door: chat completions, responses, models. `model` is an agent's slug; what answers behind it
// is the agent's own affair.

import type { Db } from 'mongodb'
import { z } from 'zod'
import { eventStream, eventStreamHeaders, type ServerSent } from '../../platform/event-stream.ts'
import { type Route, type RouteInput, type RouteReply, route } from '../../platform/http.ts'
import { newId, type TenantId } from '../../platform/ids.ts'
import type { CollectionSpec } from '../../platform/mongo.ts'
import { asProblem, found, Problem } from '../../platform/problem.ts'
import type { ChatReply } from '../message.ts'
import { Chunks, completionOf } from './completion.ts'
import { askingIn, type CompletionBody, completionBody } from './completion-request.ts'
import { answerSaid, type DoorDeps, type Running, run } from './door.ts'
import { itemFacts, partOf, ResponseEvents, responseOf } from './response.ts'
import { askingInResponse, type ResponseBody, responseBody } from './response-request.ts'
import { type ResponseStore, responseStore, type StoredResponse } from './response-store.ts'
import type { Said } from './said.ts'
import { threadStore } from './thread-store.ts'

export interface OpenAiRoutesDeps extends DoorDeps {
  readonly responses: ResponseStore
}

export const openAiCollections: readonly CollectionSpec[] = [threadStore.spec, responseStore.spec]

/** What the doors keep beside the conversations. */
export function openAiStores(db: Db): Pick<OpenAiRoutesDeps, 'responses' | 'threads'> {
  return { threads: threadStore.open(db), responses: responseStore.open(db) }
}

/** A history of some hundred thousand words. */
const maxBytes = 4 * 1024 * 1024
/** Responses that one may go on from, one after the other. */
const longestChain = 200

const anything = z.looseObject({ id: z.string(), object: z.string() })
const modelView = z.strictObject({
  id: z.string(),
  object: z.literal('model'),
  created: z.int(),
  owned_by: z.string(),
})
const streamed = { replies: [{ type: 'text/event-stream' }] } as const

export function openAiRoutes(deps: OpenAiRoutesDeps): Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/chat/completions',
      access: 'chat.create',
      audit: 'refusals',
      stock: true,
      maxBytes,
      reply: anything,
      ...streamed,
      summary: 'OpenAI chat completions: an agent answers as the model of its slug',
      body: completionBody,
      run: (input) => complete(deps, input),
    }),
    ...responseRoutes(deps),
    ...modelRoutes(deps),
  ]
}

function responseRoutes(deps: OpenAiRoutesDeps): Route[] {
  const params = z.strictObject({ id: z.string().max(120) })
  return [
    route({
      method: 'POST',
      path: '/v1/responses',
      access: 'chat.create',
      audit: 'refusals',
      stock: true,
      maxBytes,
      reply: anything,
      ...streamed,
      summary: 'OpenAI responses: an agent answers as the model of its slug',
      body: responseBody,
      run: (input) => respond(deps, input),
    }),
    route({
      method: 'GET',
      path: '/v1/responses/:id',
      access: 'chat.create',
      stock: true,
      reply: anything,
      summary: 'A response of the last 30 days',
      params,
      run: async ({ tenantId, params: { id } }) => ({ json: found(await deps.responses.byId(tenantId, id)).body }),
    }),
    route({
      method: 'DELETE',
      path: '/v1/responses/:id',
      access: 'chat.create',
      stock: true,
      reply: z.strictObject({ id: z.string(), object: z.literal('response'), deleted: z.literal(true) }),
      summary: 'Forgets a response; the conversation keeps its messages',
      params,
      async run({ tenantId, params: { id } }) {
        if (!(await deps.responses.remove(tenantId, id))) throw new Problem('not_found')
        return { json: { id, object: 'response', deleted: true } }
      },
    }),
  ]
}

function modelRoutes({ agents }: OpenAiRoutesDeps): Route[] {
  const models = async ({ auth, tenantId }: Pick<RouteInput<unknown, unknown, unknown>, 'auth' | 'tenantId'>) =>
    (await agents.of(tenantId).list())
      .filter(({ id, status, live }) => status === 'active' && live !== undefined && auth.may('chat.create', id))
      .map(({ slug, updatedAt }) => ({
        ...{ id: slug, object: 'model' as const, owned_by: tenantId },
        created: Math.floor(updatedAt.getTime() / 1000),
      }))
  return [
    route({
      method: 'GET',
      path: '/v1/models',
      access: 'chat.create',
      stock: true,
      reply: z.strictObject({ object: z.literal('list'), data: z.array(modelView) }),
      summary: 'The active agents, as models',
      run: async (input) => ({ json: { object: 'list', data: await models(input) } }),
    }),
    route({
      method: 'GET',
      path: '/v1/models/:id',
      access: 'chat.create',
      stock: true,
      reply: modelView,
      params: z.strictObject({ id: z.string().max(120) }),
      summary: 'One active agent, as a model',
      run: async (input) => ({
        json: found((await models(input)).find(({ id }) => id === input.params.id)),
      }),
    }),
  ]
}

type Input<B> = Parameters<typeof run>[1] & { readonly body: B; readonly tenantId: TenantId }

async function complete(deps: OpenAiRoutesDeps, input: Input<CompletionBody>): Promise<RouteReply> {
  const { body } = input
  const asking = askingIn(body)
  const facts = { id: `chatcmpl-${newId('resp').slice(5)}`, model: body.model, createdSeconds: secondsNow(deps) }
  if (body.stream !== true) {
    const running = await run(deps, input, { asking, onText: () => undefined })
    return { json: completionOf(facts, await running.done) }
  }
  const chunks = new Chunks(facts, body.stream_options?.include_usage === true)
  return streaming(deps, {
    begin: () => [{ data: chunks.first() }],
    run: (send) => run(deps, input, { asking, onText: (delta) => send([{ data: chunks.text(delta) }]) }),
    end: async (reply) => [...chunks.last(reply).map((data) => ({ data })), { data: '[DONE]' }],
    failed: (problem) => [{ data: { error: { ...errorOf(problem), type: 'server_error', param: null } } }],
  })
}

async function respond(deps: OpenAiRoutesDeps, input: Input<ResponseBody>): Promise<RouteReply> {
  const { body, tenantId } = input
  const previous = await chainOf(deps, tenantId, body.previous_response_id ?? undefined)
  const before = previous.flatMap((each) => each.said)
  const stored = (itemId: string) => storedItem(deps, tenantId, itemId)
  const asking = await askingInResponse(body, before, { stored })
  const facts = { id: newId('resp'), body, createdSeconds: secondsNow(deps) }
  const known = { conversationId: previous.at(-1)?.conversationId }
  let agentId = ''
  const begun = async (onText: (delta: string) => void): Promise<Running> => {
    const running = await run(deps, input, { asking, known, onText })
    ;({ agentId } = running)
    return running
  }
  const keep = async (reply: ChatReply): Promise<void> => {
    if (body.store === false) return
    const { conversationId } = reply
    const said = [...asking.added, answerSaid(reply)]
    const stays = { agentId, conversationId, previousId: body.previous_response_id ?? null, said }
    const response = { id: facts.id, ...stays, body: responseOf(facts, reply) }
    await deps.responses.put(tenantId, response, new Date(deps.clock.now()))
  }
  if (body.stream !== true) {
    const reply = await (await begun(() => undefined)).done
    await keep(reply)
    return { json: responseOf(facts, reply) }
  }
  const events = new ResponseEvents(facts)
  return streaming(deps, {
    begin: () => events.begin().map(named),
    run: (send) => begun((delta) => send(events.text(delta).map(named))),
    async end(reply) {
      await keep(reply)
      return events.end(reply).map(named)
    },
    failed: (problem) => events.failed(errorOf(problem)).map(named),
  })
}

interface Streaming {
  begin(): readonly ServerSent[]
  run(send: (events: readonly ServerSent[]) => void): Promise<Running>
  end(reply: ChatReply): Promise<readonly ServerSent[]>
  failed(problem: Problem): readonly ServerSent[]
}

/** What is refused before anything is answered is refused by status; later there is only the stream to tell it in. */
async function streaming({ clock }: OpenAiRoutesDeps, on: Streaming): Promise<RouteReply> {
  const early: ServerSent[] = [...on.begin()]
  let send = (events: readonly ServerSent[]): void => void early.push(...events)
  const running = await on.run((events) => send(events))
  await running.accepted
  const stream = eventStream(clock, async (write) => {
    send = (events) => events.forEach(write)
    send(early)
    try {
      send(await on.end(await running.done))
    } catch (thrown) {
      send(on.failed(asProblem(thrown)))
    }
  })
  return { stream, headers: eventStreamHeaders }
}

/** Nothing of a defect is told. */
function errorOf(problem: Problem): { readonly code: string; readonly message: string } {
  return { code: problem.code, message: problem.code === 'internal' ? problem.kind.text : problem.message }
}

function named(event: { readonly type: string }): ServerSent {
  return { event: event.type, data: event }
}

/** Oldest first. One that was deleted ends the chain: what it said is gone. */
async function chainOf(
  { responses }: OpenAiRoutesDeps,
  tenantId: TenantId,
  lastId: string | undefined,
): Promise<readonly StoredResponse[]> {
  const chain: StoredResponse[] = []
  for (let id = lastId ?? null; id !== null && chain.length < longestChain; ) {
    const one = await responses.byId(tenantId, id)
    if (one === undefined && chain.length === 0)
      throw new Problem('not_found', 'There is no such response to go on from.', { param: 'previous_response_id' })
    if (one !== undefined) chain.unshift(one)
    id = one?.previousId ?? null
  }
  return chain
}

async function storedItem(
  { responses }: OpenAiRoutesDeps,
  tenantId: TenantId,
  itemId: string,
): Promise<Said | undefined> {
  const facts = itemFacts(itemId)
  const one = facts === undefined ? undefined : await responses.byId(tenantId, facts.responseId)
  return one === undefined ? undefined : partOf(one.said, facts?.call)
}

function secondsNow({ clock }: OpenAiRoutesDeps): number {
  return Math.floor(clock.now() / 1000)
}
