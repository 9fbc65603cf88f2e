// What a tool call answers: one JSON text, small enough for any engine. Pure.

import type { ShownVisual } from '../protocol/visuals/visual.ts'
import { shows, type ToolResult } from './tool.ts'

export interface ToolOutput {
  readonly output: string
  readonly ok: boolean
  /** `waiting`: a person is asked first, the outcome comes later. `unknown`: it may have happened. */
  readonly is?: 'waiting' | 'unknown'
  /** What the person sees of it. */
  readonly visual?: ShownVisual
  /** Its items are what an answer rests on: see citations.ts. */
  readonly cites?: true
}

/** Engines take far more, but it is read aloud: 16 KB is ten minutes of speech. */
export const outputBytes = 16 * 1024

export function failure(code: string, message: string, issues?: readonly unknown[]): ToolOutput {
  const error = { code, message, ...(issues === undefined ? {} : { issues: issues.slice(0, 10) }) }
  return { output: JSON.stringify({ error }), ok: false }
}

/** Nobody tries again: it may have happened. */
export function unknownEffect(message: string): ToolOutput {
  return { ...failure('unknown', message), is: 'unknown' }
}

const notRun =
  /^\{"error":\{"code":"(too_many_tool_calls|needs_approval|not_permitted|out_of_credit|unknown_tool|invalid_arguments|already_waiting)"/

/** False: nothing was done, and nothing is to be paid. */
export const hasRun = ({ output, is }: Pick<ToolOutput, 'output' | 'is'>): boolean =>
  is !== 'waiting' && !notRun.test(output)

/** The call's state in its turn. */
export function stateInTurn({ is, ok }: Pick<ToolOutput, 'ok' | 'is'>): 'waiting' | 'unknown' | 'ok' | 'failed' {
  return is ?? (ok ? 'ok' : 'failed')
}

/** Items are left off the end until the text fits; the count says how many. */
export function success(result: ToolResult): ToolOutput {
  const whole = JSON.stringify(result)
  const visual = result[shows]
  const shown = visual === undefined ? {} : { visual }
  if (Buffer.byteLength(whole) <= outputBytes) return { output: whole, ok: result.error === undefined, ...shown }
  const items = result.items ?? []
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (Buffer.byteLength(cut(result, middle)) <= outputBytes) low = middle
    else high = middle - 1
  }
  const output = cut(result, low)
  if (low === 0 || Buffer.byteLength(output) > outputBytes)
    return failure('too_large', 'The answer is too long: ask for less.')
  return { output, ok: true, ...shown }
}

function cut(result: ToolResult, count: number): string {
  const items = result.items ?? []
  return JSON.stringify({ ...result, items: items.slice(0, count), omitted: items.length - count })
}
