// When a word was said, by the order in which the engine gave words and sound.

import type { EngineEvent } from '../../gateway/engines/engines.ts'

/** The engine gives a word with the 100 ms of sound in which it begins. */
const grainMs = 100

/** Between the beginning of the last of these words and that of the first one after them, ms of the item's sound. */
export function spokenAtMs(
  events: readonly EngineEvent[],
  itemId: string,
  text: string,
): { fromMs: number; toMs: number } {
  let audioMs = 0
  let chars = 0
  let fromMs = 0
  let toMs = Number.POSITIVE_INFINITY
  for (const event of events) {
    if (event.type === 'audio' && event.itemId === itemId) audioMs += event.ms
    if (event.type !== 'agentText' || event.itemId !== itemId || event.delta === undefined) continue
    const begins = chars + (event.delta.length - event.delta.trimStart().length)
    if (begins < text.length) fromMs = audioMs
    else toMs = Math.min(toMs, audioMs + grainMs)
    chars += event.delta.length
  }
  return { fromMs: text === '' ? 0 : fromMs, toMs: Math.min(toMs, Math.max(audioMs, fromMs)) }
}
