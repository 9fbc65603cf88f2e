// What processes of one installation tell each other about sessions.

import { z } from 'zod'
import { asTenantId } from '../platform/ids.ts'
import type { Live } from './live.ts'
import type { SessionsDeps } from './request.ts'
import type { Session } from './session.ts'

const session = {
  tenantId: z.string().max(80).transform(asTenantId),
  sessionId: z.string().max(80),
}
const message = z.discriminatedUnion('do', [
  /** `release`: the visitor is at another process. `stolen`: a spent token was shown. `end`: an operator ends it. */
  z.strictObject({ ...session, do: z.enum(['release', 'stolen', 'end']) }),
  /** A call that waited for a person has ended: it is to be told here. */
  z.strictObject({ ...session, do: z.literal('outcome'), approvalId: z.string().max(80) }),
])
export type NodeMessage = z.input<typeof message>

/** Longest wait for a sentence to end before the session is handed over in its middle. */
const boundaryMs = 2_000
/** Nobody hears it, and its person waits elsewhere. */
const awayBoundaryMs = 400
const boundaryPollMs = 40

/** Returns the way to stop listening. */
export function obeyNodes(
  deps: Pick<SessionsDeps, 'bus' | 'clock' | 'log' | 'onOutcome'> & { readonly live: Live },
): () => void {
  return deps.bus.on((raw) => {
    const parsed = message.safeParse(raw)
    if (!parsed.success) {
      deps.log.warn('a message of another process was not understood')
      return
    }
    const { tenantId, sessionId } = parsed.data
    const session = deps.live.get(tenantId, sessionId)?.session
    if (session === undefined) return
    if (parsed.data.do === 'outcome') return deps.onOutcome(tenantId, parsed.data.approvalId)
    const waitMs = session.isAway ? awayBoundaryMs : boundaryMs
    if (parsed.data.do === 'release')
      void atBoundary(deps, session, waitMs).then(() => session.dispatch({ is: 'release' }))
    else session.dispatch({ is: parsed.data.do === 'end' ? 'operatorEnd' : 'stolen' })
  })
}

/** Resolves when nobody is in the middle of a sentence, at the latest after 2 s. */
export async function atBoundary(
  { clock }: Pick<SessionsDeps, 'clock'>,
  session: Session,
  timeoutMs: number,
): Promise<void> {
  const until = clock.monotonicMs() + timeoutMs
  while (!session.atBoundary && session.state !== 'ended' && clock.monotonicMs() < until)
    await new Promise<void>((resolve) => clock.after(boundaryPollMs, resolve))
}
