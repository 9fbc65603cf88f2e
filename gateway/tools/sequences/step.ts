// What comes of a step of a sequence. Pure.

import type { TemplateData } from '../../entities/entities.ts'
import type { Mailed } from '../mail/mail.ts'
import type { Advance, Enrolment } from './store.ts'

export type Steps = TemplateData<'sequence'>['steps']

const minuteMs = 60_000
/** What surely sent nothing is tried again after ten minutes, then after an hour; then it is over. */
const retryMinutes = [10, 60]

/** After an e-mail was sent, or not. `unknown` counts as sent: a person who gets nothing is better than one who gets it twice. */
export function after(
  enrolment: Pick<Enrolment, 'step' | 'failures'>,
  {
    steps,
    mailed,
    nowMs,
  }: { readonly steps: Steps; readonly mailed: Pick<Mailed, 'id' | 'status'>; readonly nowMs: number },
): Advance {
  const updatedAt = new Date(nowMs)
  const at = (minutes: number) => new Date(nowMs + minutes * minuteMs)
  if (mailed.status === 'failed' || mailed.status === 'not_sent') {
    const wait = retryMinutes[enrolment.failures]
    const failures = enrolment.failures + 1
    return wait === undefined
      ? { status: 'stopped', reason: 'failed', failures, updatedAt }
      : { failures, nextAt: at(wait), updatedAt }
  }
  const step = enrolment.step + 1
  const next = steps[step]
  const sent = { step: enrolment.step, emailId: mailed.id, status: mailed.status, at: updatedAt }
  if (next === undefined) return { status: 'done', step, failures: 0, sent, updatedAt }
  return { step, failures: 0, nextAt: at(next.delayMinutes), sent, updatedAt }
}

/** With the person's name in it; where nobody knows it, without the space before it. */
export function filled(text: string, name: string | undefined): string {
  return name === undefined
    ? text.replaceAll(/ ?\{\{\s*name\s*\}\}/g, '')
    : text.replaceAll(/\{\{\s*name\s*\}\}/g, () => name)
}
