// What an answer is made from, and its bounds.

import type { Brief } from '../../agents/agents.ts'
import type { Message } from '../../engines/engines.ts'
import type { Offered } from './prompt.ts'

/** Answers of the model to one message, the last one without tools. */
export const maxIterations = 10
/** Tool calls of one message that run. */
export const maxCalls = 8

export interface Thinking {
  readonly brief: Brief
  readonly system: string
  readonly messages: readonly Message[]
  readonly offered: Offered
  /** The process lost the message: whatever is asked is given up. */
  readonly signal: AbortSignal
}
