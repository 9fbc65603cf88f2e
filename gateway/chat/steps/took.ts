// What the models took for one message, as it grows with each of their answers.

import type { TextUse } from '../../engines/engines.ts'
import type { Metered } from '../../usage/usage.ts'
import type { Progress } from '../inbound.ts'
import type { ChatUsage } from '../message.ts'

export function took({ usage, used }: Progress, use: TextUse): Pick<Progress, 'model' | 'usage' | 'used'> {
  return {
    usage: sum(usage, use),
    used: [...used, meteredOf(use)],
    model: use.provider === use.model ? use.model : `${use.provider}/${use.model}`,
  }
}

function sum(usage: ChatUsage, { tokens }: TextUse): ChatUsage {
  return {
    inputTokens: usage.inputTokens + (tokens?.input ?? 0),
    cachedTokens: usage.cachedTokens + Math.min(tokens?.cached ?? 0, tokens?.input ?? 0),
    outputTokens: usage.outputTokens + (tokens?.output ?? 0),
  }
}

/** Priced by the row of the engine `text` for `provider/model`; the built-in brain by its own. */
function meteredOf({ provider, model, tokens, isUnreported }: TextUse): Metered {
  const input = tokens?.input ?? 0
  const cached = Math.min(tokens?.cached ?? 0, input)
  const meters = {
    'input.text.tokens': input - cached,
    'input.cached.text.tokens': cached,
    'output.text.tokens': tokens?.output ?? 0,
    ...(isUnreported ? { 'unknown.usages': 1 } : {}),
  }
  return provider === 'demo'
    ? { engine: 'demo', model: '*', meters }
    : { engine: 'text', model: `${provider}/${model}`, meters }
}
