import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { DeskFactory } from './desk.ts'

export interface LiveNeeds {
  readonly apiKey: string | undefined
  /** http(s) or ws(s), e.g. `https://api.openai.com/v1`. */
  readonly baseUrl: string
  readonly defaultModel: string
  /** The text engine behind the voice. */
  readonly desk: DeskFactory
  /** The Responses model that does the work instead while the conversation is spoken. Undefined: the desk does. */
  readonly backendModel?: string
  readonly log: Log
  readonly clock: Clock
}
