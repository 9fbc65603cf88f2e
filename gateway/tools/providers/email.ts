// The port of e-mail: one message to one person through whoever sends it.

import type { OutsideAnswer } from './outside-call.ts'

export interface Email {
  readonly from: string
  readonly to: string
  readonly subject: string
  /** Plain text. */
  readonly text: string
  readonly replyTo?: string | undefined
  /** Address of one-click unsubscribing (RFC 8058). */
  readonly unsubscribeUrl?: string | undefined
}

export type Sending =
  | { readonly is: 'sent'; readonly providerId: string }
  /** Surely not sent. */
  | { readonly is: 'refused'; readonly why: string }
  /** Nobody knows. */
  | { readonly is: 'unknown'; readonly why: string }

export type DeliveryState = { readonly is: 'known'; readonly state: string } | { readonly is: 'unknown' }

export interface EmailProvider {
  readonly name: 'resend' | 'sendgrid'
  /** Whether a second request with the same key is the first one. */
  readonly knowsKeys: boolean
  send(email: Email, on: { readonly key: string; readonly signal: AbortSignal }): Promise<Sending>
  /** What the provider says has become of it, in the provider's own word. */
  state(providerId: string, signal: AbortSignal): Promise<DeliveryState>
}

/** Some providers answer within seconds only; a tool has ten. */
export const emailTimeoutMs = 4_000

/** What an answer other than success is worth. `reason`: the provider's words, if it gave any. */
export function notSent(answer: OutsideAnswer, reason: string | undefined): Exclude<Sending, { is: 'sent' }> {
  if (answer.is === 'unsent') return { is: 'refused', why: answer.why }
  if (answer.is === 'lost') return { is: 'unknown', why: answer.why }
  const why = `the provider answered ${answer.status}${reason === undefined ? '' : `: ${reason.slice(0, 200)}`}`
  return answer.status >= 500 ? { is: 'unknown', why } : { is: 'refused', why }
}

export function unsubscribeHeaders({ unsubscribeUrl }: Email): Record<string, string> {
  if (unsubscribeUrl === undefined) return {}
  return { 'List-Unsubscribe': `<${unsubscribeUrl}>`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' }
}
