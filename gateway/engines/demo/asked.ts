// What the demo is asked for, and the answer it is giving.

import type { Modality } from '../client-frame.ts'

export type Raw = Readonly<Record<string, unknown>>

export type Ask =
  | { readonly what: 'respond'; readonly modality: Modality; readonly raw?: Raw }
  | { readonly what: 'say'; readonly text: string }
  | { readonly what: 'goOn'; readonly after: string }

export interface Answer {
  readonly id: string
  readonly stop: AbortController
  reason: 'turn_detected' | 'client_cancelled' | undefined
}
