import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'

export interface OpenAiRealtimeNeeds {
  readonly apiKey: string | undefined
  /** http(s) or ws(s), e.g. `https://api.openai.com/v1`. */
  readonly baseUrl: string
  readonly defaultModel: string
  readonly transcriptionModel?: string
  /** The provider's cap of a session; by default OpenAI's 60 minutes, Azure's 30. */
  readonly maxDurationMs?: number
  readonly log: Log
  readonly clock: Clock
}
