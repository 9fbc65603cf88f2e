// Splits an interrupted answer where the player stopped. Pure.

import { wordEnd } from './words.ts'

/** After `textEnd` characters of the item's text had arrived, `audioMs` of its audio had. Monotone in both. */
export interface TextSpan {
  readonly textEnd: number
  readonly audioMs: number
}

/**
 * `spans` anchor text to audio as they arrived; between anchors the text is taken as spoken evenly, and a word counts
 * as heard once its last character was played. `audioDone`: all audio of the item is known, so its end is the text's end.
 */
export function splitHeard(
  text: string,
  facts: {
    readonly spans: readonly TextSpan[]
    readonly audioMs: number
    readonly playedMs: number
    readonly audioDone: boolean
  },
): { heard: string; unheard: string } {
  const playedMs = Math.min(facts.playedMs, facts.audioMs)
  if (playedMs <= 0) return { heard: '', unheard: text }
  if (facts.audioDone && playedMs >= facts.audioMs) return { heard: text, unheard: '' }
  const characters = heardCharacters(text, facts, playedMs)
  const cut = wordEnd(text, Math.floor(characters + 0.5))
  return { heard: text.slice(0, cut).trimEnd(), unheard: text.slice(cut).trimStart() }
}

function heardCharacters(
  text: string,
  facts: { readonly spans: readonly TextSpan[]; readonly audioMs: number; readonly audioDone: boolean },
  playedMs: number,
): number {
  // Providers send text ahead of its audio: once the item is complete only the whole is a trustworthy anchor.
  if (facts.audioDone) return (text.length * playedMs) / facts.audioMs
  let from: TextSpan = { textEnd: 0, audioMs: 0 }
  for (const span of facts.spans) {
    if (span.audioMs > playedMs) {
      const share = (playedMs - from.audioMs) / (span.audioMs - from.audioMs)
      return from.textEnd + (span.textEnd - from.textEnd) * share
    }
    from = span
  }
  const rest = facts.audioMs - from.audioMs
  if (rest <= 0) return Math.min(text.length, (text.length * playedMs) / facts.audioMs)
  return from.textEnd + ((text.length - from.textEnd) * (playedMs - from.audioMs)) / rest
}
