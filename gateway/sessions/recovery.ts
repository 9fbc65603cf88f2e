// What the owner before left open, read from its turns: what must be mended, and what the agent still owes. Pure.

import type { Turn } from '../protocol/turn.ts'
import type { Recovery } from './session-parts.ts'

/** Turns nobody will finish any more: cut speech is what was stored of it, a running tool's outcome is not known. */
export function mended(turns: readonly Turn[]): readonly Turn[] {
  return turns.map((turn) => {
    if (turn.state !== 'partial') return turn
    if (turn.tool !== undefined) {
      const state = turn.tool.state === 'running' ? 'failed' : turn.tool.state
      return { ...turn, state: 'final', tool: { ...turn.tool, state } }
    }
    return { ...turn, state: turn.role === 'agent' ? 'interrupted' : 'final' }
  })
}

/** `turns` as the owner before stored them, in order. */
export function recoveryOf(turns: readonly Turn[], voice: boolean): Recovery {
  const spoken = turns.filter((turn) => turn.role === 'user' || turn.role === 'agent')
  const last = spoken.at(-1)
  const since = turns.slice(last === undefined ? 0 : turns.indexOf(last) + 1)
  const tools = since.filter((turn) => turn.tool !== undefined)
  return { voice, goOnAfter: dueAfter(last, tools.length > 0), notes: tools.flatMap(noteOf) }
}

function dueAfter(last: Turn | undefined, toolsSince: boolean): string | undefined {
  if (last === undefined) return undefined
  if (last.role === 'user') return last.text === '' ? undefined : ''
  if (last.state === 'partial') return last.text
  return toolsSince ? '' : undefined
}

function noteOf({ tool }: Turn): string[] {
  if (tool === undefined) return []
  const call = `${tool.name}(${tool.arguments})`
  if (tool.output !== undefined) return [`The tool call ${call} gave: ${tool.output}`]
  return [
    `The tool call ${call} was started and the connection to it was lost: nobody knows whether it was done. Say so if asked, and do not repeat it on your own.`,
  ]
}
