// What a leg is told: once, when its session is open, and at each connection.

import type { Capabilities } from '../../engines/engines.ts'
import type { Turn } from '../../protocol/turn.ts'
import type { Opened } from '../../sessions/sessions.ts'

/** What is known only once the session is open. */
export interface LegStart {
  readonly opened: Pick<Opened, 'sessionId' | 'conversationId' | 'engine' | 'epoch'>
  /** Of the engine that serves now. */
  readonly capabilities: () => Capabilities
  readonly serverTools: ReadonlySet<string>
  readonly modality: () => 'audio' | 'text'
  readonly voice: () => string
  readonly onSlow: (slow: boolean) => void
  readonly onLost: (lastByteAtMs: number) => void
  readonly onAsleep: (sinceMs: number | undefined) => void
  /** Of a player of ours. */
  readonly onPlayed: (itemId: string, playedMs: number, final: boolean) => void
  /** The leg ended by itself; the session has to. */
  readonly onBroken: () => void
}

/** The first words over a new connection. */
export interface Hello {
  readonly created: Readonly<Record<string, unknown>>
  readonly resumeToken: string | undefined
  readonly voice: boolean
  readonly history: readonly Turn[]
  /** The client was here before; `lastSeq` is the last frame it took, if what came since is kept. */
  readonly resumed?: { readonly lastSeq?: number }
}
