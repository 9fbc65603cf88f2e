// What one run of an agent took. Pure.

import type { ExecutionView } from '../protocol/records.ts'

export interface NewExecution extends Omit<ExecutionView, 'id' | 'sessionId' | 'error' | 'at'> {
  /** The same id twice is one execution. Left out: a new one. */
  readonly id?: string
  readonly sessionId?: string
  /** A code or a short sentence; cut at 500 characters. */
  readonly error?: string
}

export const maxErrorChars = 500
/** More steps of one execution are not kept. */
export const maxSteps = 100

/** What a count is made of: a whole number, never below zero. */
export const whole = (value: number): number => (Number.isFinite(value) ? Math.max(0, Math.round(value)) : 0)
