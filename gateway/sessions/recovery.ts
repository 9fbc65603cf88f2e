// What the owner before left open, read from its turns: what must be mended, and what the agent still owes. Pure.

import { splitHeard } from '../platform/heard.ts'
import type { Turn } from '../protocol/turn.ts'
import type { Recovery, Unplayed } from './session-parts.ts'

/** Turns nobody will finish any more: cut speech is what its player had of it, a running tool's outcome is not known. */
export function mended(turns: readonly Turn[]): readonly Turn[] {
  return turns.map((turn) => {
    if (turn.state !== 'partial') return turn
    if (turn.tool !== undefined) {
      const state = turn.tool.state === 'running' ? 'failed' : turn.tool.state
      return { ...turn, state: 'final', tool: { ...turn.tool, state } }
    }
    return turn.role === 'agent' ? cut(turn) : { ...turn, state: 'final' }
  })
}

/** As far as the last stored report goes: words that were generated and not played were not heard. */
function cut(turn: Turn): Turn {
  const { audio, text } = turn
  const all = { ...turn, state: 'interrupted' as const }
  if (audio === undefined || (audio.sentMs > 0 && audio.playedMs >= audio.sentMs)) return all
  const { sentMs: audioMs, playedMs } = audio
  const { heard, unheard } = splitHeard(text, { spans: [], audioMs, playedMs, audioDone: true })
  return { ...all, text: heard, unheard }
}

/** `turns` as the owner before stored them, in order. */
export function recoveryOf(turns: readonly Turn[], voice: boolean): Recovery {
  const spoken = turns.filter((turn) => turn.role === 'user' || turn.role === 'agent')
  const last = spoken.at(-1)
  const since = turns.slice(last === undefined ? 0 : turns.indexOf(last) + 1)
  const tools = since.filter((turn) => turn.tool !== undefined)
  const due = dueAfter(last, tools.length > 0)
  const unplayed = voice && due === undefined ? unplayedOf(last) : undefined
  return { voice, goOnAfter: due, notes: tools.flatMap(noteOf), ...(unplayed === undefined ? {} : { unplayed }) }
}

/**
 * All of it was generated, not all of it was played: the client will tell how far it got. Or it was cut when a client was
 * lost, and its rest went with the process that was about to say it: a person who cuts in has the next word.
 */
function unplayedOf(last: Turn | undefined): Unplayed | undefined {
  if (last?.role !== 'agent' || last.audio === undefined) return undefined
  const { itemId, text, unheard = '', audio, state } = last
  if (state === 'interrupted' ? unheard === '' : audio.playedMs >= audio.sentMs) return undefined
  return { itemId, text: [text, unheard].filter((part) => part !== '').join(' '), ...audio }
}

function dueAfter(last: Turn | undefined, toolsSince: boolean): string | undefined {
  if (last === undefined) return undefined
  if (last.role === 'user') return last.text === '' ? undefined : ''
  if (last.state === 'partial') return cut(last).text
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
