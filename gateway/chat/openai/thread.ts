// Which conversation a stateless client is in: its history up to our last answer is the mark of it. Pure.

import { createHash } from 'node:crypto'
import type { Said } from './said.ts'

/** Undefined: nothing of the agent is in it, so it is a new conversation. */
export function markOf(scope: readonly [tenantId: string, agentId: string], all: readonly Said[]): string | undefined {
  const last = all.findLastIndex((each) => each.is === 'agent')
  if (last === -1) return undefined
  const told = all.slice(0, last + 1).flatMap((each) => (each.is === 'instructions' ? [] : [plain(each)]))
  return createHash('sha256')
    .update(JSON.stringify([scope, told]))
    .digest('base64url')
}

/** As the client has it after our answer. */
export function markAfter(
  scope: readonly [tenantId: string, agentId: string],
  asked: readonly Said[],
  answer: Extract<Said, { is: 'agent' }>,
): string | undefined {
  return markOf(scope, [...asked, answer])
}

/** Clients write JSON in their own way, and trim texts. */
function plain(said: Exclude<Said, { is: 'instructions' }>): unknown {
  if (said.is === 'user') return ['user', said.text.trim()]
  if (said.is === 'output') return ['output', said.callId]
  return ['agent', said.text.trim(), said.calls.map((call) => [call.id, call.name, sorted(call.arguments)])]
}

function sorted(text: string): unknown {
  try {
    return ordered(JSON.parse(text))
  } catch {
    return text
  }
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, each]) => [key, ordered(each)])
}
