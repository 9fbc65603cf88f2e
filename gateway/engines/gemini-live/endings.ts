// Why a connection ended, in our words: the provider explains it in the close frame, for people. Its sentence stays out of logs
// and errors. Sources: reports of users in issues of livekit/agents, google/adk-python and yagudaev/voiceclaw; not documented.

import type { Gone } from '../upstream/line.ts'

export interface Ending {
  readonly code: string
  /** Too much was asked of the provider, or the account's credit is spent: the sentence is the same. */
  readonly limited: boolean
}

const reasons: readonly (readonly [reason: RegExp, code: string])[] = [
  [/api.?key|unauthenticated|permission/i, 'invalid_api_key'],
  [/quota|resource.?exhausted|rate.?limit|too many/i, 'rate_limit_exceeded'],
  [/\bmodels?\b.*\bnot (found|supported)/i, 'model_not_found'],
]
const codes: Readonly<Record<string, string>> = { ws_1007: 'invalid_value', ws_1011: 'server_error' }

export function endingOf({ code, reason = '' }: Gone): Ending {
  const named = reasons.find(([pattern]) => pattern.test(reason))?.[1] ?? codes[code] ?? code
  return { code: named, limited: named === 'rate_limit_exceeded' }
}
