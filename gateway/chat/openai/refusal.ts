// What a client asked for and does not get, in words that name the field.

import { Problem } from '../../platform/problem.ts'

/** `param`: as the client wrote it, e.g. `messages[2].content`. */
export function wrong(param: string, message: string): Problem {
  return new Problem('invalid', `${message} (${param})`, { param })
}

/** It exists in the original and not here. */
export function unsupported(param: string, what = 'is not supported here'): Problem {
  return new Problem('invalid', `'${param}' ${what}.`, { param })
}

/** The agent's config does not give it to its clients. */
export function notAllowed(param: string, message: string): Problem {
  return new Problem('forbidden', message, { param })
}

/** Fields of the original that would change an answer and that no model is asked for here: any value but these is refused. */
const withoutEffect: Readonly<Record<string, readonly unknown[]>> = {
  audio: [],
  background: [false],
  context_management: [],
  frequency_penalty: [0],
  function_call: [],
  functions: [],
  image: [],
  logit_bias: [{}],
  logprobs: [false],
  max_tool_calls: [],
  modalities: [['text']],
  moderation: [],
  n: [1],
  prediction: [],
  presence_penalty: [0],
  prompt: [],
  stop: [[]],
  top_logprobs: [0],
  top_p: [1],
  truncation: ['disabled', 'auto'],
  web_search_options: [],
}

/** Throws for the first field that would be dropped in silence. `null` is the original's word for "not set". */
export function refuseWithoutEffect(body: Readonly<Record<string, unknown>>): void {
  for (const [param, value] of Object.entries(body)) {
    const harmless = withoutEffect[param]
    if (harmless === undefined || value === null || value === undefined) continue
    if (!harmless.some((each) => JSON.stringify(each) === JSON.stringify(value)))
      throw unsupported(param, param === 'n' ? 'is always 1 here' : undefined)
  }
}
