// What the provider's detector was asked to do.

import type { EngineBrief } from '../engines.ts'

/** The provider's own, where nobody sets another. */
const usualSilenceMs = 500

/** Speech stops the answer in progress. */
export function interrupts({ turnDetection, settings }: EngineBrief): boolean {
  return turnDetection !== 'none' && settings?.turns?.interruptsResponse !== false
}

/** How long its detector waits for more. Who goes by the meaning does not say. */
export function waitsMs({ turnDetection, settings }: EngineBrief): number | undefined {
  return turnDetection === 'server_vad' ? (settings?.turns?.silenceMs ?? usualSilenceMs) : undefined
}
