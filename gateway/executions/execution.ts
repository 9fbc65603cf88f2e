// What one run of an agent took. Pure.

import type { ExecutionStatus, ExecutionStep } from '../protocol/records.ts'
import type { Channel } from '../protocol/turn.ts'

export interface NewExecution {
  /** The same id twice is one execution. Left out: a new one. */
  readonly id?: string
  readonly agentId: string
  readonly conversationId: string
  readonly sessionId?: string
  readonly channel: Channel
  readonly model: string
  readonly provider: string
  readonly inputTokens: number
  /** Part of `inputTokens`. */
  readonly cachedTokens: number
  readonly outputTokens: number
  readonly latencyMs: number
  /** Micro-dollars; null: not known. */
  readonly costUsdMicro: number | null
  readonly creditsMicro: number
  readonly status: ExecutionStatus
  /** A code or a short sentence; cut at 500 characters. */
  readonly error?: string
  /** At most 100 are kept. */
  readonly steps: readonly ExecutionStep[]
}

export const maxErrorChars = 500
export const maxSteps = 100

/** What a count is made of: a whole number, never below zero. */
export const whole = (value: number): number => (Number.isFinite(value) ? Math.max(0, Math.round(value)) : 0)
