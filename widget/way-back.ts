// The way back into a session: which one, its single-use token, and the last frame taken. Kept for this tab only, so that
// a reload or another page of the same site finds it; never in localStorage, which every tab would share.

import { limits, type ParleySession, subprotocol } from '../gateway/protocol/realtime.ts'
import { isObject, parseObject } from './wire.ts'

export interface Kept {
  readonly sessionId: string
  readonly token: string
  /** Of the last frame taken; `unknownSeq` in a panel that has none of the session's lines. */
  readonly seq: number
  readonly windowMs: number
  /** A call was on. */
  readonly call: boolean
  /** When the session was last known to be connected: milliseconds since epoch, because pages sleep. */
  readonly atMs: number
}

/** No frame has this number: the gateway answers with everything that was said. */
const unknownSeq = 999_999_999_999_999
/** The gateway notices a loss up to this much later than the page. */
const lateMs = limits.silentResumableMs
const saveEveryMs = 1_000

export class WayBack {
  readonly #key: string
  readonly #storage: Storage | undefined
  #kept: Kept | undefined
  #acked = { seq: 0, atMs: 0 }

  /** `name`: of the agent this tab talks to on this page. */
  constructor(name: string, storage: Storage | undefined, nowMs: number) {
    this.#key = `parley.back:${name}`
    this.#storage = storage
    this.adopt(parseObject(attempt(() => storage?.getItem(this.#key)) ?? ''))
    if (nowMs > this.untilMs) this.forget()
  }

  get kept(): Kept | undefined {
    return this.#kept
  }

  /** The subprotocol that asks for the session. */
  get offer(): string | undefined {
    if (this.#kept === undefined) return undefined
    const { sessionId, token, seq } = this.#kept
    return `${subprotocol.resumePrefix}${sessionId}.${token}.${seq}`
  }

  /** After this time nobody waits for the client any more. Milliseconds since epoch. */
  get untilMs(): number {
    return this.#kept === undefined ? 0 : this.#kept.atMs + this.#kept.windowMs + lateMs
  }

  opened({ session_id: sessionId, seq, resume, resumed }: ParleySession, nowMs: number): void {
    const before = this.#kept?.sessionId === sessionId ? this.#kept : undefined
    // What the connection before brought meanwhile is replayed all the same.
    const taken = before !== undefined && resumed?.gap === false ? Math.max(before.seq, seq) : seq
    const { token, window_ms: windowMs } = resume
    this.#acked = { seq: taken, atMs: nowMs }
    this.#save({ sessionId, token, windowMs, seq: taken, call: before?.call ?? false, atMs: nowMs })
  }

  /** `hole`: a frame is missing, only a resume can bring it. */
  take(seq: number): 'next' | 'again' | 'hole' {
    if (this.#kept === undefined || seq > this.#kept.seq + 1) return 'hole'
    if (seq <= this.#kept.seq) return 'again'
    this.#kept = { ...this.#kept, seq }
    return 'next'
  }

  /** The number to acknowledge, when it is time to. */
  due(nowMs: number): number | undefined {
    const { seq = 0 } = this.#kept ?? {}
    const { ackEveryFrames, ackEveryMs } = limits
    if (seq - this.#acked.seq < ackEveryFrames && nowMs - this.#acked.atMs < ackEveryMs) return undefined
    this.#acked = { seq, atMs: nowMs }
    return seq
  }

  /** Frames come in: the session is connected at this moment. */
  alive(nowMs: number): void {
    if (this.#kept !== undefined && nowMs - this.#kept.atMs >= saveEveryMs) this.#save({ ...this.#kept, atMs: nowMs })
  }

  call(on: boolean): void {
    if (this.#kept !== undefined) this.#save({ ...this.#kept, call: on })
  }

  /** From this tab's page before, or from another tab, which then stops. */
  adopt(kept: unknown): void {
    if (isKept(kept)) this.#kept = { ...kept, seq: unknownSeq }
  }

  #save(kept: Kept): void {
    this.#kept = kept
    attempt(() => this.#storage?.setItem(this.#key, JSON.stringify(kept)))
  }

  forget(): void {
    this.#kept = undefined
    attempt(() => this.#storage?.removeItem(this.#key))
  }
}

function isKept(value: unknown): value is Kept {
  if (!isObject(value)) return false
  const { sessionId, token, windowMs, atMs } = value
  return [sessionId, token].every((each) => typeof each === 'string') && [windowMs, atMs].every(Number.isFinite)
}

/** Storage may be full or forbidden: then the way back lasts as long as the page. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch {
    return undefined
  }
}
