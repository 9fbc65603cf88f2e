// Answers of POST /v1/chat/completions: one object, or chunks of it.

import type { ChatReply, ChatUsage } from '../message.ts'

type Json = Readonly<Record<string, unknown>>

export interface CompletionFacts {
  readonly id: string
  /** The agent's slug: what the client asked for. */
  readonly model: string
  readonly createdSeconds: number
}

const base = ({ id, model, createdSeconds: created }: CompletionFacts, object: string): Json => ({
  ...{ id, object, created, model },
  service_tier: 'default',
  system_fingerprint: null,
})

export function completionOf(facts: CompletionFacts, reply: ChatReply): Json {
  const calls = reply.toolCalls.map(callOf)
  const message = {
    role: 'assistant',
    content: reply.text === '' && calls.length > 0 ? null : reply.text,
    refusal: null,
    annotations: [],
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  }
  return {
    ...base(facts, 'chat.completion'),
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishOf(reply) }],
    usage: usageOf(reply.usage),
  }
}

/** The original's word for it; a person who answers later is an end like any other. */
function finishOf({ finish }: ChatReply): string {
  return finish === 'handed_off' ? 'stop' : finish
}

function callOf({ callId, name, arguments: args }: ChatReply['toolCalls'][number]): Json {
  return { id: callId, type: 'function', function: { name, arguments: args } }
}

export function usageOf({ inputTokens, cachedTokens, outputTokens }: ChatUsage): Json {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens, audio_tokens: 0 },
    completion_tokens_details: {
      ...{ reasoning_tokens: 0, audio_tokens: 0 },
      ...{ accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
    },
  }
}

/** The chunks of one answer, in the original's order. */
export class Chunks {
  readonly #facts: CompletionFacts
  readonly #withUsage: boolean

  constructor(facts: CompletionFacts, withUsage: boolean) {
    this.#facts = facts
    this.#withUsage = withUsage
  }

  first(): Json {
    return this.#chunk({ role: 'assistant', content: '', refusal: null })
  }

  text(delta: string): Json {
    return this.#chunk({ content: delta })
  }

  /** Calls, the end, the usage if it was asked for. */
  last(reply: ChatReply): readonly Json[] {
    const calls = reply.toolCalls.flatMap(({ callId: id, name, arguments: args }, index) => [
      this.#chunk({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] }),
      this.#chunk({ tool_calls: [{ index, function: { arguments: args } }] }),
    ])
    const usage = { ...base(this.#facts, 'chat.completion.chunk'), choices: [], usage: usageOf(reply.usage) }
    return [...calls, this.#chunk({}, finishOf(reply)), ...(this.#withUsage ? [usage] : [])]
  }

  #chunk(delta: Json, finish: string | null = null): Json {
    return {
      ...base(this.#facts, 'chat.completion.chunk'),
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
      ...(this.#withUsage ? { usage: null } : {}),
    }
  }
}
