// How long a session waits for what.

import { limits } from '../protocol/realtime.ts'

/** Longest wait for a closing sentence. */
export const closingMs = 12_000
export const openMs = 10_000
/** Turns not durable after this long are given up at the end; the janitor finds the session closed. */
export const flushMs = 10_000
/** Twice the beat: a timer this late means that the whole process did not run. */
export const frozenMs = 2 * limits.heartbeatMs
