// Language models on loopback behind their providers' own wires: Anthropic Messages, Gemini streamGenerateContent, OpenAI Responses.
// Each answers the same script, refuses what its provider refuses, and keeps what it was asked.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { z } from 'zod'

export interface ModelReply {
  readonly say?: string
  readonly call?: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> }
  /** The socket is destroyed after this many events. */
  readonly cutAfter?: number
  /** The stream ends after this many events, as if it were whole. */
  readonly endAfter?: number
  readonly status?: number
  readonly finish?: 'length'
}

type Provider = 'anthropic' | 'google' | 'openai'
type Json = Readonly<Record<string, unknown>>

const text = z.strictObject({ type: z.literal('text'), text: z.string().min(1), cache_control: z.unknown().optional() })
const anthropicBody = z
  .strictObject({
    model: z.string(),
    max_tokens: z.int().positive(),
    stream: z.literal(true),
    system: z.array(text).optional(),
    messages: z.array(
      z.discriminatedUnion('role', [
        z.strictObject({
          role: z.literal('user'),
          content: z
            .array(
              z.union([
                text,
                z.strictObject({
                  type: z.literal('tool_result'),
                  tool_use_id: z.string().regex(/^[\w-]+$/),
                  content: z.union([z.string(), z.array(text)]),
                  is_error: z.boolean().optional(),
                }),
              ]),
            )
            .min(1),
        }),
        z.strictObject({
          role: z.literal('assistant'),
          content: z
            .array(
              z.union([
                text,
                z.strictObject({
                  type: z.literal('tool_use'),
                  id: z.string().regex(/^[\w-]+$/),
                  name: z.string(),
                  input: z.record(z.string(), z.unknown()),
                  caller: z.unknown().optional(),
                }),
              ]),
            )
            .min(1),
        }),
      ]),
    ),
    tools: z
      .array(
        z.strictObject({
          name: z.string(),
          description: z.string(),
          input_schema: z.looseObject({ type: z.literal('object') }),
          eager_input_streaming: z.boolean().optional(),
        }),
      )
      .optional(),
    tool_choice: z.looseObject({ type: z.enum(['auto', 'any', 'none', 'tool']) }).optional(),
    temperature: z.number().min(0).max(1).optional(),
  })
  .superRefine(({ messages, tools }, context) => {
    if (messages[0]?.role !== 'user') context.addIssue('messages: first message must use the "user" role')
    if (messages.at(-1)?.role !== 'user') context.addIssue('This model does not support assistant message prefill.')
    for (const [i, each] of messages.entries()) {
      if (messages[i - 1]?.role === each.role)
        context.addIssue('messages: roles must alternate between "user" and "assistant"')
      const used = each.content.flatMap((part) => (part.type === 'tool_use' ? [part.id] : []))
      const given =
        messages[i + 1]?.content.flatMap((part) => (part.type === 'tool_result' ? [part.tool_use_id] : [])) ?? []
      if (used.length > 0 && tools === undefined)
        context.addIssue('Requests which include `tool_use` blocks must define tools')
      if (JSON.stringify(used) !== JSON.stringify(given.slice(0, used.length)) || given.length !== used.length) {
        if (each.role === 'assistant')
          context.addIssue('`tool_use` ids were found without `tool_result` blocks immediately after')
      }
    }
  })

const googlePart = z.union([
  z.strictObject({ text: z.string().min(1) }),
  z.strictObject({
    functionCall: z.strictObject({
      id: z.string().optional(),
      name: z.string(),
      args: z.record(z.string(), z.unknown()),
    }),
    thoughtSignature: z.string().optional(),
  }),
  z.strictObject({
    functionResponse: z.strictObject({
      id: z.string().optional(),
      name: z.string(),
      response: z.record(z.string(), z.unknown()),
    }),
  }),
])
const googleBody = z
  .strictObject({
    generationConfig: z.looseObject({}).optional(),
    contents: z.array(z.strictObject({ role: z.enum(['user', 'model']), parts: z.array(googlePart).min(1) })).min(1),
    systemInstruction: z.strictObject({ parts: z.array(z.strictObject({ text: z.string() })) }).optional(),
    tools: z.array(z.strictObject({ functionDeclarations: z.array(z.looseObject({ name: z.string() })) })).optional(),
    toolConfig: z.looseObject({}).optional(),
  })
  .superRefine(({ contents }, context) => {
    for (const { parts } of contents) {
      for (const part of parts) {
        // Gemini 3 refuses a call of its own that comes back without the signature of its thought.
        if ('functionCall' in part && part.thoughtSignature !== 'c2lnbmVk')
          context.addIssue('Function call is missing a thought_signature')
      }
    }
  })

const openAiBody = z.strictObject({
  model: z.string(),
  stream: z.literal(true),
  store: z.literal(false),
  input: z.array(
    z.union([
      z.strictObject({ role: z.enum(['system', 'developer']), content: z.string() }),
      z.strictObject({
        role: z.literal('user'),
        content: z.array(z.strictObject({ type: z.literal('input_text'), text: z.string() })),
      }),
      z.strictObject({
        role: z.literal('assistant'),
        content: z.union([z.string(), z.array(z.strictObject({ type: z.literal('output_text'), text: z.string() }))]),
        id: z.string().optional(),
      }),
      z.strictObject({
        type: z.literal('function_call'),
        call_id: z.string(),
        name: z.string(),
        arguments: z.string(),
        id: z.string().optional(),
      }),
      z.strictObject({ type: z.literal('function_call_output'), call_id: z.string(), output: z.string() }),
    ]),
  ),
  tools: z
    .array(z.looseObject({ type: z.literal('function'), name: z.string(), parameters: z.looseObject({}) }))
    .optional(),
  tool_choice: z.unknown().optional(),
  include: z.array(z.string()).optional(),
  temperature: z.number().min(0).max(2).optional(),
  max_output_tokens: z.int().min(16).optional(),
  reasoning: z.looseObject({}).optional(),
})

export class ScriptedModels {
  readonly asked: {
    readonly provider: Provider
    readonly model: string
    readonly body: Json
    readonly headers: IncomingMessage['headers']
  }[] = []
  readonly refused: string[] = []
  /** The sampling of these models of Anthropic cannot be set, not even to its default. */
  readonly fixedSampling = new Set(['claude-sonnet-5', 'claude-opus-5'])
  readonly #server: Server
  readonly #scripts: { pattern: RegExp; reply: ModelReply }[] = []
  #port = 0
  #count = 0

  constructor() {
    this.#server = createServer(
      (request, response) => void this.#serve(request, response).catch(() => response.destroy()),
    )
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    this.#port = address.port
    return this
  }

  baseUrl(provider: Provider): string {
    return `http://127.0.0.1:${this.#port}/${provider === 'google' ? 'v1beta' : 'v1'}`
  }

  /** Matched with the last thing said or answered; later patterns win. */
  on(pattern: RegExp, reply: ModelReply): this {
    this.#scripts.unshift({ pattern, reply })
    return this
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const { url = '', headers } = request
    const raw: unknown = JSON.parse(Buffer.concat(parts).toString('utf8') || '{}')
    const gemini = /^\/v1beta\/models\/([^:]+):streamGenerateContent\?alt=sse$/.exec(url)?.[1]
    const provider: Provider | undefined =
      gemini !== undefined
        ? 'google'
        : url === '/v1/messages'
          ? 'anthropic'
          : url === '/v1/responses'
            ? 'openai'
            : undefined
    if (provider === undefined) {
      response.writeHead(404).end('{}')
      return
    }
    const keyed = {
      anthropic: headers['x-api-key'],
      google: headers['x-goog-api-key'],
      openai: headers.authorization?.slice(7),
    }[provider]
    const schema = { anthropic: anthropicBody, google: googleBody, openai: openAiBody }[provider]
    const body = schema.safeParse(raw)
    const isFixed = body.success && 'temperature' in body.data && this.fixedSampling.has(String(body.data.model))
    const refusal = body.success ? undefined : JSON.stringify(body.error.issues[0])
    const fixed = isFixed ? '`temperature` is deprecated for this model.' : undefined
    const issue = keyed !== 'sk-test' ? 'invalid x-api-key' : (refusal ?? fixed)
    if (issue !== undefined) {
      this.refused.push(issue)
      response.writeHead(keyed === 'sk-test' ? 400 : 401, { 'content-type': 'application/json' })
      response.end(
        JSON.stringify({
          type: 'error',
          error: { type: 'invalid_request_error', code: 400, status: 'INVALID_ARGUMENT', message: issue },
        }),
      )
      return
    }
    const parsed = body.data as Json
    this.asked.push({ provider, model: gemini ?? String(parsed.model), body: parsed, headers })
    const turns = parsed.messages ?? parsed.contents ?? parsed.input
    const last = JSON.stringify(Array.isArray(turns) ? turns.at(-1) : '')
    const reply = this.#scripts.find(({ pattern }) => pattern.test(last))?.reply ?? { say: 'I do not know.' }
    if (reply.status !== undefined) {
      response.writeHead(reply.status, { 'content-type': 'application/json', 'retry-after': '2' })
      response.end(
        JSON.stringify({
          type: 'error',
          error: { type: 'overloaded_error', code: reply.status, status: 'UNAVAILABLE', message: 'Overloaded' },
        }),
      )
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const id = `${++this.#count}`
    const events =
      provider === 'anthropic'
        ? anthropicEvents(reply, id)
        : provider === 'google'
          ? googleEvents(reply)
          : openAiEvents(reply, id)
    for (const [i, event] of events.slice(0, reply.endAfter).entries()) {
      if (i === reply.cutAfter) {
        await new Promise((resolve) => setTimeout(resolve, 10))
        response.destroy()
        return
      }
      response.write(
        `${provider === 'google' ? '' : `event: ${String(event.type)}\n`}data: ${JSON.stringify(event)}\n\n`,
      )
    }
    response.end()
  }
}

export async function startScriptedModels(): Promise<ScriptedModels> {
  return new ScriptedModels().start()
}

/** Each provider counts in its own way; the meters must come to the same: 90 new, 30 cached, 12 out. */
export const scriptedTokens = { input: 120, cached: 30, output: 12 } as const

function words(say: string | undefined): readonly string[] {
  return say?.match(/\s*\S+/gu) ?? []
}

function anthropicEvents({ say, call, finish }: ModelReply, id: string): Json[] {
  const usage = { input_tokens: 70, cache_creation_input_tokens: 20, cache_read_input_tokens: 30, output_tokens: 1 }
  const message = {
    id: `msg_${id}`,
    type: 'message',
    role: 'assistant',
    model: 'claude',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage,
  }
  const events: Json[] = [{ type: 'message_start', message }, { type: 'ping' }]
  let index = 0
  if (say !== undefined && say !== '') {
    events.push({ type: 'content_block_start', index, content_block: { type: 'text', text: '' } })
    for (const word of words(say))
      events.push({ type: 'content_block_delta', index, delta: { type: 'text_delta', text: word } })
    events.push({ type: 'content_block_stop', index: index++ })
  }
  if (call !== undefined) {
    events.push({
      type: 'content_block_start',
      index,
      content_block: { type: 'tool_use', id: `toolu_${id}`, name: call.name, input: {} },
    })
    for (const part of JSON.stringify(call.arguments).match(/.{1,9}/gs) ?? []) {
      events.push({ type: 'content_block_delta', index, delta: { type: 'input_json_delta', partial_json: part } })
    }
    events.push({ type: 'content_block_stop', index })
  }
  const stop = finish === 'length' ? 'max_tokens' : call === undefined ? 'end_turn' : 'tool_use'
  events.push({
    type: 'message_delta',
    delta: { stop_reason: stop, stop_sequence: null },
    usage: { ...usage, output_tokens: 12 },
  })
  return [...events, { type: 'message_stop' }]
}

function googleEvents({ say, call, finish }: ModelReply): Json[] {
  // Cumulative with every chunk; thoughts are output too.
  const usage = (out: number) => ({
    promptTokenCount: 120,
    cachedContentTokenCount: 30,
    candidatesTokenCount: out,
    thoughtsTokenCount: 2,
    totalTokenCount: 122 + out,
  })
  const chunk = (parts: readonly Json[], out: number, reason?: string): Json => ({
    candidates: [
      { index: 0, content: { role: 'model', parts }, ...(reason === undefined ? {} : { finishReason: reason }) },
    ],
    usageMetadata: usage(out),
    modelVersion: 'gemini',
  })
  const events = words(say).map((word, i) => chunk([{ text: word }], Math.min(9, i)))
  if (call !== undefined)
    events.push(chunk([{ functionCall: { name: call.name, args: call.arguments }, thoughtSignature: 'c2lnbmVk' }], 9))
  events.push(chunk([{ text: '' }], 10, finish === 'length' ? 'MAX_TOKENS' : 'STOP'))
  return events
}

function openAiEvents({ say, call, finish }: ModelReply, id: string): Json[] {
  const created = { id: `resp_${id}`, object: 'response', created_at: 1_790_000_000, model: 'gpt', output: [] }
  const usage = {
    input_tokens: 120,
    input_tokens_details: { cached_tokens: 30 },
    output_tokens: 12,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 132,
  }
  const events: Json[] = [{ type: 'response.created', response: { ...created, status: 'in_progress' } }]
  if (say !== undefined && say !== '') {
    const item = { id: `msg_${id}`, type: 'message', role: 'assistant', status: 'in_progress', content: [] }
    events.push({ type: 'response.output_item.added', output_index: 0, item })
    for (const word of words(say)) {
      events.push({
        type: 'response.output_text.delta',
        item_id: item.id,
        output_index: 0,
        content_index: 0,
        delta: word,
        logprobs: [],
      })
    }
    const content = [{ type: 'output_text', text: say, annotations: [], logprobs: [] }]
    events.push({ type: 'response.output_item.done', output_index: 0, item: { ...item, status: 'completed', content } })
  }
  if (call !== undefined) {
    const item = {
      id: `fc_${id}`,
      type: 'function_call',
      call_id: `call_${id}`,
      name: call.name,
      status: 'in_progress',
      arguments: '',
    }
    const args = JSON.stringify(call.arguments)
    events.push({ type: 'response.output_item.added', output_index: 1, item })
    events.push({ type: 'response.function_call_arguments.delta', item_id: item.id, output_index: 1, delta: args })
    events.push({
      type: 'response.output_item.done',
      output_index: 1,
      item: { ...item, status: 'completed', arguments: args },
    })
  }
  if (finish === 'length')
    return [
      ...events,
      {
        type: 'response.incomplete',
        response: { ...created, status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' }, usage },
      },
    ]
  return [
    ...events,
    { type: 'response.completed', response: { ...created, status: 'completed', incomplete_details: null, usage } },
  ]
}
