// A language model behind its provider's own protocol, through the Vercel AI SDK's provider packages. Only their model
// interface is used: repetition, fallback and tools are ours. A package is loaded with the first session that needs it.

import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4Message } from '@ai-sdk/provider'
import { z } from 'zod'
import { failureOf, PartFailure, streamFailure } from './failure.ts'
import { temperatureFor } from './limits.ts'
import type { Call, EngineTool, Llm, Message, Piece, Prompt } from './model.ts'
import { reach } from './reach.ts'
import type { PartPlan, ServerKind } from './server.ts'
import type { Tally } from './tally.ts'

/** Under which name a provider's own options go. */
const optionsOf: Readonly<Partial<Record<ServerKind, string>>> = {
  anthropic: 'anthropic',
  google: 'google',
  'openai-responses': 'openai',
}

async function load({ server, model }: PartPlan): Promise<LanguageModelV4> {
  const { kind, baseUrl: baseURL, apiKey = '' } = server
  switch (kind) {
    case 'anthropic':
      return (await import('@ai-sdk/anthropic')).createAnthropic({ baseURL, apiKey, fetch: reach })(model)
    case 'google':
      return (await import('@ai-sdk/google')).createGoogle({ baseURL, apiKey, fetch: reach })(model)
    case 'openai-responses':
      return (await import('@ai-sdk/openai')).createOpenAI({ baseURL, apiKey, fetch: reach }).responses(model)
    default:
      throw new TypeError(`${kind} is not served by the AI SDK`)
  }
}

export function createSdkModel(plan: PartPlan): Llm {
  // Begun with the session and not with its first question.
  const loaded = load(plan)
  loaded.catch(() => undefined)
  const refused = new Set<string>()
  return {
    name: plan.name,
    async *answer(prompt, { signal, tally }) {
      try {
        const model = await loaded
        const stream = await begun(model, { plan, prompt, signal, refused })
        tally.accepted()
        yield* pieces(stream, { by: plan.name, tally })
      } catch (thrown) {
        throw signal.aborted ? signal.reason : failureOf(thrown)
      }
    },
  }
}

interface Beginning {
  readonly plan: PartPlan
  readonly prompt: Prompt
  readonly signal: AbortSignal
  /** What the model refused before, for the life of the process. */
  readonly refused: Set<string>
}

const refusal = z.object({ statusCode: z.literal([400, 422]), responseBody: z.string() })

/** A temperature that is refused is left out from then on, as `Endpoint` does with its fields. */
async function begun(model: LanguageModelV4, { plan, prompt, signal, refused }: Beginning): Promise<Stream> {
  const wanted = refused.has('temperature') ? undefined : prompt.temperature
  const temperature = temperatureFor(wanted, plan.server.kind, plan.model)
  const call = { ...callOf(prompt, plan), abortSignal: signal }
  if (temperature === undefined) return (await model.doStream(call)).stream
  try {
    return (await model.doStream({ ...call, temperature })).stream
  } catch (thrown) {
    if (!(refusal.safeParse(thrown).data?.responseBody ?? '').includes('temperature')) throw thrown
    const { stream } = await model.doStream(call)
    refused.add('temperature')
    return stream
  }
}

function callOf(
  { system, messages, tools, toolChoice, maxTokens }: Prompt,
  plan: PartPlan,
): LanguageModelV4CallOptions {
  const key = optionsOf[plan.server.kind] ?? plan.server.kind
  // Nothing of a conversation is left with the provider, so it cannot be referred to there either.
  const fixed = plan.server.kind === 'openai-responses' ? { store: false } : {}
  const options = { ...fixed, ...plan.options }
  return {
    prompt: [
      ...(system === '' ? [] : [{ role: 'system' as const, content: system }]),
      ...messages.flatMap((each) => messageOf(each, plan.name)),
    ],
    ...(tools.length === 0 ? {} : { tools: tools.map(toolOf), toolChoice: { type: toolChoice } }),
    ...(maxTokens === undefined ? {} : { maxOutputTokens: maxTokens }),
    ...(Object.keys(options).length === 0 ? {} : { providerOptions: { [key]: options } }),
  }
}

function toolOf({ name, description, parameters }: EngineTool) {
  return { type: 'function' as const, name, description, inputSchema: parameters }
}

const metadata = z.record(z.string(), z.record(z.string(), z.json()))

function messageOf(message: Message, by: string): LanguageModelV4Message[] {
  if (message.role !== 'call') {
    const content = [{ type: 'text' as const, text: message.text }]
    return [message.role === 'user' ? { role: 'user', content } : { role: 'assistant', content }]
  }
  const { callId: toolCallId, name: toolName, arguments: args, keep } = message.call
  const own = metadata.safeParse(keep?.by === by ? keep.value : undefined)
  const call = { type: 'tool-call' as const, toolCallId, toolName, input: inputOf(args) }
  const output = { type: 'text' as const, value: message.output }
  return [
    { role: 'assistant', content: [own.success ? { ...call, providerOptions: own.data } : call] },
    { role: 'tool', content: [{ type: 'tool-result', toolCallId, toolName, output }] },
  ]
}

function inputOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return z.record(z.string(), z.unknown()).catch({}).parse(JSON.parse(text))
  } catch {
    return {}
  }
}

const told: ReadonlySet<string> = new Set(['content-filter', 'length', 'stop', 'tool-calls'])

type Stream = Awaited<ReturnType<LanguageModelV4['doStream']>>['stream']

async function* pieces(stream: Stream, on: { readonly by: string; readonly tally: Tally }): AsyncGenerator<Piece> {
  const calls: Call[] = []
  for await (const part of stream) {
    if (part.type === 'text-delta' && part.delta !== '') yield { is: 'text', delta: part.delta }
    else if (part.type === 'tool-call' && part.providerExecuted !== true) {
      const { toolCallId: callId, toolName: name, input, providerMetadata: value } = part
      const keep = value === undefined ? {} : { keep: { by: on.by, value } }
      calls.push({ callId, name, arguments: input === '' ? '{}' : input, ...keep })
    } else if (part.type === 'error') throw partFailure(part.error)
    else if (part.type === 'finish') {
      const { unified, raw } = part.finishReason
      if (unified === 'error') throw new PartFailure('server_error')
      // The stream ended before the provider told why: the packages call that `other` or `interrupted`.
      if (raw === undefined && !told.has(unified)) throw new PartFailure('connection_lost')
      tell(on.tally, part.usage)
      const isCut = unified === 'length' || unified === 'content-filter'
      if (!isCut) for (const call of calls) yield { is: 'call', call }
      yield { is: 'end', reason: unified === 'length' ? 'length' : isCut ? 'content_filter' : 'stop' }
      return
    }
  }
  throw new PartFailure('connection_lost')
}

function partFailure(error: unknown): PartFailure {
  const failure = failureOf(error)
  if (failure.code !== 'connection_lost') return failure
  // A frame that is no JSON, or not in the provider's shape.
  if (error instanceof Error && /Parse|Validation/.test(error.name)) return new PartFailure('malformed')
  return error instanceof Error ? failure : streamFailure({ error })
}

/** Undefined: the provider did not tell. */
function tell(
  tally: Tally,
  usage: {
    readonly inputTokens: { readonly total: number | undefined; readonly cacheRead: number | undefined }
    readonly outputTokens: { readonly total: number | undefined }
  },
): void {
  const { total: input, cacheRead } = usage.inputTokens
  const { total: output } = usage.outputTokens
  if (input === undefined || output === undefined) return
  tally.told({ input, cached: cacheRead ?? 0, output })
  tally.ended()
}
