// Whether speech over the agent's voice is meant to stop it. Pure: what is known by now in, a verdict or patience out.

import type { Nods, OwnWords } from './words.ts'

/** Heard while the agent only thinks: there is nothing to nod at, but a cough must not stop it either. */
const thinkingMs = 300
/** After the agent's last sound its echo may still come: this much of a voice that is no echo is a person. */
const afterwardsMs = 100
/** No words came for speech that is over: it was a cough. */
const wordlessMs = 4_000

export interface Known {
  /** An answer is being made, or its sound is left to be played. */
  readonly isBusy: boolean
  /** Its sound is left to be played. */
  readonly isAudible: boolean
  /** What is being said must not be interrupted. */
  readonly isGuarded: boolean
  /** Of a voice that is no echo. */
  readonly speechMs: number
  readonly echoMs: number
  /** Speech of this length is an interruption before its words are known. */
  readonly interruptMs: number
  /** Since the engine noticed its end. */
  readonly overMs: number | undefined
  /** As far as they came. */
  readonly words: string
  /** No more words will come. `none`: nobody here can tell words. */
  readonly wordsAre: 'coming' | 'complete' | 'lost' | 'none'
}

export type Verdict =
  | { readonly is: 'wait' }
  | { readonly is: 'meant'; readonly by: 'quiet' | 'length' | 'words' }
  | { readonly is: 'ignored'; readonly why: 'backchannel' | 'noise' | 'echo' }

const wait: Verdict = { is: 'wait' }

export function judge(known: Known, nods: Nods, own: OwnWords): Verdict {
  const { isBusy, isGuarded, speechMs, echoMs, interruptMs } = known
  const isOurs = echoMs > speechMs
  if (known.wordsAre === 'complete' && known.words.trim() === '') return ignored(isOurs ? 'echo' : 'noise')
  if (known.wordsAre === 'complete') {
    if (own.includes(known.words, isOurs)) return ignored('echo')
    // When the agent has come to its end meanwhile, it is an answer.
    if (isBusy && nods.is(known.words)) return ignored('backchannel')
    return isGuarded ? wait : { is: 'meant', by: 'words' }
  }
  if (isGuarded) return wait
  if (!isBusy)
    return isOurs || (echoMs > 0 && speechMs < afterwardsMs) ? unlessOver(known) : { is: 'meant', by: 'quiet' }
  if (saysSomething(known.words, nods, own)) return { is: 'meant', by: 'words' }
  if (speechMs >= (known.isAudible ? interruptMs : Math.min(thinkingMs, interruptMs)))
    return { is: 'meant', by: 'length' }
  if (known.overMs !== undefined && known.wordsAre !== 'coming') return ignored(isOurs ? 'echo' : 'backchannel')
  return unlessOver(known)
}

/** Without words for too long: what it was will not be known. */
function unlessOver({ overMs, echoMs, speechMs }: Known): Verdict {
  if (overMs === undefined || overMs < wordlessMs) return wait
  return ignored(echoMs > speechMs ? 'echo' : 'noise')
}

/** Two words that are complete; the last one may still grow. */
function saysSomething(words: string, nods: Nods, own: OwnWords): boolean {
  const complete = words.replace(/\S*$/, '').trim()
  return complete.includes(' ') && !nods.is(complete) && !own.includes(complete, true)
}

function ignored(why: 'backchannel' | 'noise' | 'echo'): Verdict {
  return { is: 'ignored', why }
}
