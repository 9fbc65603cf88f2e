// Speech into words, whoever can: the operator's list in order, each with its time.

import type { Clock } from '../../platform/clock.ts'
import { bytesPerMs } from '../../protocol/realtime.ts'
import { failureOf, PartFailure } from '../text/failure.ts'
import type { Health } from '../text/order.ts'
import { Patience, type Times } from '../text/patience.ts'
import type { Transcript } from './meters.ts'
import type { Stt } from './part.ts'

export interface HearingNeeds {
  readonly clock: Clock
  readonly times: Times
  readonly health: Health
  /** In the operator's order. */
  readonly ears: readonly Stt[]
  readonly language: string
  /** Names and words to expect. */
  readonly hint?: string | undefined
  /** `seconds`: length of the audio. */
  transcribed(transcript: Transcript, seconds: number): void
}

/** The words; a failure when nobody could tell them. Never rejects. */
export async function wordsOf(needs: HearingNeeds, pcm: Buffer, signal: AbortSignal): Promise<string | PartFailure> {
  const { clock, times, health, language, hint } = needs
  let failure = new PartFailure('stt_unavailable')
  for (const { part: stt, isLast } of health.turns(needs.ears, () => failure)) {
    const patience = new Patience(clock, signal)
    patience.wait(isLast ? times.lastMs : times.firstMs)
    try {
      const transcript = await stt.hear({ pcm, language, hint }, patience.signal)
      health.worked(stt.name)
      needs.transcribed(transcript, pcm.length / bytesPerMs / 1000)
      return transcript.text
    } catch (thrown) {
      failure = failureOf(thrown)
      if (signal.aborted) return failure
      health.failed(stt.name, failure)
    } finally {
      patience.rest()
    }
  }
  return failure
}

/** Speech that ends like this goes on after a breath: the answer waits for it. */
export function looksUnfinished(text: string): boolean {
  return (
    /(?:[,;:–—-]|\.\.\.|…)$/.test(text) ||
    /(?:^|[\s,])(?:and|or|but|because|so|if|that|the|a|an|to|of|for|with|my|your|is|are|um|uh|er|well|und|oder|aber|weil|wenn|dass|der|die|das|ein|eine|mit|für|äh|ähm)$/i.test(
      text,
    )
  )
}
