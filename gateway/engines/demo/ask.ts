// What the demo is asked for, and the answer in progress.

import type { Modality } from '../client-frame.ts'

export type Ask =
  | { readonly what: 'respond'; readonly modality: Modality }
  | { readonly what: 'say'; readonly text: string }
  | { readonly what: 'goOn'; readonly after: string }

export interface Answer {
  readonly id: string
  readonly stop: AbortController
  reason: 'turn_detected' | 'client_cancelled' | undefined
}
