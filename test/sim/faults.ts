// What goes wrong, how often: drawn once per seed, so that some worlds are calm, some bad in one way, some in all.

import type { Random } from '../chaos/random.ts'

export interface FaultRates {
  /** The request never arrives, and the client is told so. */
  readonly refused: number
  /** It happened, but the client hears of a broken connection. */
  readonly lostReply: number
  /** The primary steps down before it happens: an error that may be retried. */
  readonly stepDown: number
  /** 0.2–4 s on the way. */
  readonly slow: number
  /** 4–25 s on the way there: happens when nobody waits any more. */
  readonly late: number
  /** Only the answer takes that long. */
  readonly lateReply: number
}

const calm: FaultRates = { refused: 0, lostReply: 0, stepDown: 0, slow: 0, late: 0, lateReply: 0 }

/** In a storm, at least: commands overtake each other. */
const stormy: FaultRates = { ...calm, lostReply: 0.01, late: 0.02 }

/** Of calls to the truth store. */
export function drawRates(random: Random, isStorm: boolean): FaultRates {
  const kind = random.next()
  if (kind < 0.2) return isStorm ? stormy : calm
  const upTo = (most: number): number => (random.next() < 0.5 ? 0 : random.next() * most)
  const scale = kind < 0.7 ? 1 : 3
  return {
    refused: upTo(0.03) * scale,
    lostReply: Math.max(upTo(0.05) * scale, isStorm ? stormy.lostReply : 0),
    stepDown: upTo(0.02) * scale,
    slow: upTo(0.06) * scale,
    late: Math.max(upTo(0.015) * scale, isStorm ? stormy.late : 0),
    lateReply: upTo(0.01) * scale,
  }
}

export interface Fate {
  readonly there: 'arrives' | 'refused' | 'stepDown'
  readonly thereMs: number
  readonly back: 'answers' | 'lost'
  readonly backMs: number
}

export function drawFate(random: Random, rates: FaultRates): Fate {
  const hopMs = (): number => 0.3 + random.next() * random.next() * 6
  const fate: Fate = { there: 'arrives', thereMs: hopMs(), back: 'answers', backMs: hopMs() }
  let chance = random.next()
  const happens = (rate: number): boolean => {
    chance -= rate
    return chance < 0
  }
  if (happens(rates.refused)) return { ...fate, there: 'refused' }
  if (happens(rates.stepDown)) return { ...fate, there: 'stepDown' }
  if (happens(rates.lostReply)) return { ...fate, back: 'lost' }
  if (happens(rates.slow)) return { ...fate, thereMs: 200 + random.next() * 3_800 }
  if (happens(rates.late)) return { ...fate, thereMs: 4_000 + random.next() * 21_000 }
  if (happens(rates.lateReply)) return { ...fate, backMs: 4_000 + random.next() * 21_000 }
  return fate
}

/** No fault longer than this adds to what may be lost: the sum of such waits of a process is allowed for. */
export const ordinaryMs = 1_000
