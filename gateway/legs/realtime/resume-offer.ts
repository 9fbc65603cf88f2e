// The words of a client that wants its session back: `<session id>.<token>.<number of the last frame it took>`.

import { Problem } from '../../platform/problem.ts'
import type { ResumeRequest } from '../../sessions/sessions.ts'

export type ResumeOffer = Pick<ResumeRequest, 'sessionId' | 'token' | 'lastSeq'>

const shape = /^([\w-]{1,80})\.([\w-]{20,100})\.(\d{1,15})$/

/** Throws `invalid` for one that is malformed. */
export function readResumeOffer(text: string): ResumeOffer {
  const [, sessionId, token, lastSeq] = shape.exec(text) ?? []
  if (sessionId === undefined || token === undefined) throw new Problem('invalid', 'The offer to resume is malformed.')
  return { sessionId, token, lastSeq: Number(lastSeq) }
}
