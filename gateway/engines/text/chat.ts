// A language model over `POST /chat/completions`, streamed. Sent is what every compatible server takes: no empty list of
// tools, no temperature and no limit of tokens but those that were asked for and that the model takes.

import { z } from 'zod'
import { failureOf, PartFailure, streamFailure } from './failure.ts'
import { type Sampling, samplingOf, temperatureFor } from './limits.ts'
import type { Call, EngineTool, Llm, Message, Piece, Prompt } from './model.ts'
import { Endpoint, type LevelOf, type PartPlan, type ServerKind } from './server.ts'
import { eventData } from './sse.ts'
import type { Tally } from './tally.ts'

const count = z.number().nonnegative().catch(0)
const usage = z.object({
  prompt_tokens: count,
  completion_tokens: count,
  prompt_tokens_details: z.object({ cached_tokens: count }).nullish().catch(undefined),
  /** DeepSeek's name for it. */
  prompt_cache_hit_tokens: z.number().nonnegative().optional().catch(undefined),
})
const fragment = z.object({
  index: z.int().nonnegative().optional().catch(undefined),
  id: z.string().nullish(),
  function: z.object({ name: z.string().nullish(), arguments: z.string().nullish() }).nullish(),
  /** Gemini's signature of the thought behind the call. */
  extra_content: z.unknown().optional(),
})
const chunk = z.object({
  choices: z
    .array(
      z.object({
        delta: z
          .object({
            content: z.string().nullish(),
            refusal: z.string().nullish(),
            /** DeepSeek wants it back with the calls it led to. */
            reasoning_content: z.string().nullish(),
            tool_calls: z.array(fragment).nullish(),
          })
          .nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .nullish(),
  usage: usage.nullish().catch(undefined),
  error: z.unknown().optional(),
})
type Choice = NonNullable<z.output<typeof chunk>['choices']>[number]

export function createChat({ name, server, model, options }: PartPlan): Llm {
  const endpoint = new Endpoint(server, '/chat/completions', {
    stream_options: 1,
    tool_choice: 1,
    max_tokens: 1,
    max_completion_tokens: 1,
    temperature: 1,
  })
  return {
    name,
    async *answer(prompt, { signal, tally }) {
      const response = await endpoint.post(
        (level) => JSON.stringify(bodyOf(prompt, { by: name, model, options, level, kind: server.kind })),
        signal,
      )
      tally.accepted()
      if (response.body === null) throw new PartFailure('malformed')
      try {
        yield* pieces(eventData(response.body), { by: name, tally })
      } catch (thrown) {
        throw signal.aborted ? signal.reason : failureOf(thrown)
      }
    },
  }
}

interface BodyNeeds {
  readonly by: string
  readonly model: string
  readonly options: PartPlan['options']
  readonly level: LevelOf
  readonly kind: ServerKind
}

function bodyOf(
  { system, messages, tools, toolChoice, maxTokens, temperature: wanted }: Prompt,
  { by, model, options, level, kind }: BodyNeeds,
): unknown {
  const temperature = temperatureFor(wanted, kind, model)
  return {
    model,
    messages: [...(system === '' ? [] : [{ role: 'system', content: system }]), ...messagesOf(messages, by)],
    stream: true,
    ...(level('stream_options') === 0 ? { stream_options: { include_usage: true } } : {}),
    ...(tools.length === 0 ? {} : { tools: tools.map(toolOf) }),
    ...(tools.length === 0 || toolChoice === 'auto' || level('tool_choice') > 0 ? {} : { tool_choice: toolChoice }),
    ...limitOf(maxTokens, samplingOf(kind, model).limitName, level),
    ...(temperature === undefined || level('temperature') > 0 ? {} : { temperature }),
    ...options,
  }
}

/** Two names for one thing, and servers that know one of them refuse the other. */
function limitOf(
  maxTokens: number | undefined,
  first: Sampling['limitName'],
  level: LevelOf,
): Readonly<Record<string, number>> {
  if (maxTokens === undefined) return {}
  const second = first === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens'
  if (level(first) === 0) return { [first]: maxTokens }
  return level(second) === 0 ? { [second]: maxTokens } : {}
}

function toolOf({ name, description, parameters }: EngineTool): unknown {
  return { type: 'function', function: { name, description, parameters } }
}

/** What was said before calls and the calls themselves are one message; then each call's output, once. */
function messagesOf(messages: readonly Message[], by: string): unknown[] {
  const result: unknown[] = []
  for (let i = 0; i < messages.length; ) {
    const message = messages[i]
    const from = message?.role === 'agent' ? i + 1 : i
    const calls: Extract<Message, { role: 'call' }>[] = []
    for (let each = messages[from]; each?.role === 'call'; each = messages[from + calls.length]) calls.push(each)
    if (message?.role === 'user') result.push({ role: 'user', content: message.text })
    else result.push(assistant(message?.role === 'agent' ? message.text : null, calls, by))
    for (const { call, output } of message?.role === 'user' ? [] : calls) {
      result.push({ role: 'tool', tool_call_id: call.callId, content: output })
    }
    i = message?.role === 'user' ? i + 1 : from + calls.length
  }
  return result
}

const kept = z.object({ reasoning: z.string().optional(), extra: z.unknown().optional() })

function assistant(content: string | null, calls: readonly Extract<Message, { role: 'call' }>[], by: string): unknown {
  if (calls.length === 0) return { role: 'assistant', content }
  const own = (call: Call) => kept.safeParse(call.keep?.by === by ? call.keep.value : undefined).data
  const reasoning = calls.map(({ call }) => own(call)?.reasoning).find((each) => each !== undefined)
  return {
    role: 'assistant',
    content,
    ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
    tool_calls: calls.map(({ call }) => {
      const extra = own(call)?.extra
      return {
        id: call.callId,
        type: 'function',
        function: { name: call.name, arguments: objectOr(call.arguments) },
        ...(extra === undefined ? {} : { extra_content: extra }),
      }
    }),
  }
}

/** Some servers fail over a history with arguments that a model did not write as JSON. */
function objectOr(text: string): string {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? text : '{}'
  } catch {
    return '{}'
  }
}

async function* pieces(
  events: AsyncIterable<string>,
  on: { readonly by: string; readonly tally: Tally },
): AsyncGenerator<Piece> {
  const calls = new Calls(on.by)
  let finish: string | undefined
  let done = false
  for await (const data of events) {
    if (data.trim() === '[DONE]') {
      done = true
      break
    }
    const read = chunkOf(data)
    if (read.error !== undefined && read.error !== null) throw streamFailure(read)
    if (read.usage != null) on.tally.told(tokensOf(read.usage))
    for (const choice of read.choices?.slice(0, 1) ?? []) {
      const text = `${choice.delta?.content ?? ''}${choice.delta?.refusal ?? ''}`
      if (text !== '') yield { is: 'text', delta: text }
      calls.take(choice)
      finish = choice.finish_reason ?? finish
    }
  }
  if (finish === 'error') throw new PartFailure('server_error')
  if (!done && finish === undefined) throw new PartFailure('connection_lost')
  on.tally.ended()
  const reason = finish === 'length' || finish === 'content_filter' ? finish : 'stop'
  // A call that was cut off has half of its arguments.
  if (reason === 'stop') for (const call of calls.whole()) yield { is: 'call', call }
  yield { is: 'end', reason }
}

function chunkOf(data: string): z.output<typeof chunk> {
  try {
    return chunk.parse(JSON.parse(data))
  } catch {
    throw new PartFailure('malformed')
  }
}

function tokensOf(told: z.output<typeof usage>): Parameters<Tally['told']>[0] {
  const cached = told.prompt_tokens_details?.cached_tokens ?? told.prompt_cache_hit_tokens ?? 0
  return { input: told.prompt_tokens, cached, output: told.completion_tokens }
}

/** Calls grow in fragments: id and name in the first, arguments in all, told apart by index or by a new id. */
class Calls {
  readonly #by: string
  readonly #open: { index: number | undefined; id: string; name: string; arguments: string; extra: unknown }[] = []
  #reasoning = ''

  constructor(by: string) {
    this.#by = by
  }

  take({ delta }: Choice): void {
    this.#reasoning += delta?.reasoning_content ?? ''
    for (const part of delta?.tool_calls ?? []) {
      const id = part.id ?? ''
      const open = this.#open.findLast(
        (each) => (part.index === undefined || each.index === part.index) && (id === '' || each.id === id),
      )
      const call = open ?? { index: part.index, id, name: '', arguments: '', extra: undefined }
      if (open === undefined) this.#open.push(call)
      if (call.name === '') call.name = part.function?.name ?? ''
      call.arguments += part.function?.arguments ?? ''
      call.extra ??= part.extra_content
    }
  }

  whole(): readonly Call[] {
    return this.#open
      .filter(({ name }) => name !== '')
      .map(({ id, name, arguments: args, extra }) => ({
        callId: id,
        name,
        arguments: args === '' ? '{}' : args,
        ...(this.#reasoning === '' && extra === undefined
          ? {}
          : {
              keep: {
                by: this.#by,
                value: {
                  ...(this.#reasoning === '' ? {} : { reasoning: this.#reasoning }),
                  ...(extra === undefined ? {} : { extra }),
                },
              },
            }),
      }))
  }
}
