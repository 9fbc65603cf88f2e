// Turns go to the store under the epoch of their session's owner.

import type { TenantId } from '../platform/ids.ts'
import type { Turn } from '../protocol/turn.ts'
import type { Written } from '../transcript/transcript.ts'
import type { SessionsDeps } from './request.ts'
import type { SessionStore } from './store.ts'

export interface OwnedSession {
  readonly tenantId: TenantId
  readonly sessionId: string
  readonly epoch: number
}

/** A process that stood still asks whether the session is still its own before it writes another word. */
export function ownedWriter(
  deps: Pick<SessionsDeps, 'clock' | 'transcript'> & { readonly store: SessionStore },
  { tenantId, sessionId, epoch }: OwnedSession,
  confirmedAtMs: () => number,
): (turns: readonly Turn[]) => Promise<Written> {
  let askedAtMs = deps.clock.monotonicMs()
  const writer = deps.transcript.of(tenantId).writer({
    epoch,
    lease: {
      confirmedAtMs: () => Math.max(askedAtMs, confirmedAtMs()),
      async confirm() {
        const nowMs = deps.clock.monotonicMs()
        if (!(await deps.store.owns(tenantId, sessionId, epoch))) return false
        askedAtMs = nowMs
        return true
      },
    },
  })
  return (turns) => writer.write(turns)
}
