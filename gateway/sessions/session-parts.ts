// What a session is made of. Assembled in assemble.ts; each part knows only what it needs.

import type { Clock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import type { Log } from '../platform/log.ts'
import type { EndReason } from '../protocol/realtime.ts'
import type { Budget } from './budget.ts'
import type { AttentiveEngine } from './ears/attentive-engine.ts'
import type { Leg } from './leg.ts'
import type { PageCalls } from './page-calls.ts'
import type { Recorder } from './recorder.ts'
import type { ResumeKey } from './resume-token.ts'
import type { Submits } from './submits.ts'
import type { Toolbox } from './toolbox.ts'

export interface SessionOptions {
  readonly tenantId: TenantId
  readonly sessionId: string
  readonly keyId: string
  readonly greeting: string | null
  readonly closing: string
  readonly limits: { readonly idleMs: number; readonly maxDurationMs: number }
  /** How long a process that stops gives its clients to move. */
  readonly drainMs: number
  /** Items of earlier sessions of the conversation: what a client sends again of them is known. */
  readonly knownItems: ReadonlySet<string>
  /** The last of them, if it is a question without an answer. */
  readonly unansweredItem: string | undefined
  /** The session comes from another process: it does not greet, and goes on with what was due. */
  readonly recovery?: Recovery
}

/** An answer whose audio did not all reach its player's end. */
export interface Unplayed {
  readonly itemId: string
  readonly text: string
  readonly sentMs: number
  /** As last stored; the client's report may be later. */
  readonly playedMs: number
}

export interface Recovery {
  readonly voice: boolean
  /** Words after which the answer in progress broke off; undefined when none was due. */
  readonly goOnAfter: string | undefined
  /** What the owner before had sent, and its player not played: said anew from there once the call goes on. */
  readonly unplayed?: Unplayed
  /** What the model should know of it, e.g. tool calls whose outcome nobody knows. */
  readonly notes: readonly string[]
}

export interface SessionParts {
  readonly clock: Clock
  readonly log: Log
  readonly leg: Leg
  readonly engine: AttentiveEngine
  readonly recorder: Recorder
  readonly toolbox: Toolbox
  readonly submits: Submits
  readonly pageCalls: PageCalls
  readonly budget: Budget
  /** Missing: the client cannot come back. */
  readonly resume: ResumeKey | undefined
  readonly onChange: () => void
  readonly onNotice: (code: string, text: string) => void
  /** The last thing a session does; resolves when the end is durable. */
  readonly onFinish: (end: { readonly why: EndReason; readonly settle: boolean }) => Promise<void>
  /** Instead of it: the next owner may take the session from the store now. */
  readonly onHandOver: () => Promise<void>
}
