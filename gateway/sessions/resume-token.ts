// The token by which a client gets its session back: single use, rotated at each resume, stored as a hash only.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** Hashes of the present token and of the one before it. */
export interface ResumeState {
  readonly hash: string
  readonly previous: string | null
  /**
   * The client showed that it has the present token. Until then the one before is good too: the answer that brought the
   * new token may have been lost with the connection.
   */
  readonly confirmed: boolean
}

export type TokenAnswer = 'good' | 'unknown' | 'stolen'

export function newResumeToken(): string {
  return randomBytes(32).toString('base64url')
}

function resumeHash(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}

/** `stolen`: a token that was used before, by whoever holds its successor now. */
export function checkToken(state: ResumeState | undefined, token: string): TokenAnswer {
  if (state === undefined) return 'unknown'
  const hash = resumeHash(token)
  if (equal(hash, state.hash)) return 'good'
  if (state.previous === null || !equal(hash, state.previous)) return 'unknown'
  return state.confirmed ? 'stolen' : 'good'
}

/** The state after `token` was accepted and `next` given out. */
export function rotated(token: string, next: string): ResumeState {
  return { hash: resumeHash(next), previous: resumeHash(token), confirmed: false }
}

function equal(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}

/** The way back into one live session, as its owner keeps it. */
export class ResumeKey {
  #state: ResumeState

  constructor(state: ResumeState) {
    this.#state = state
  }

  static first(token: string): ResumeKey {
    return new ResumeKey({ hash: resumeHash(token), previous: null, confirmed: false })
  }

  get state(): ResumeState {
    return this.#state
  }

  /** This token arrived. An older connection proves nothing of a newer token. */
  confirm(token: string): void {
    if (this.#state.confirmed || !equal(resumeHash(token), this.#state.hash)) return
    this.#state = { ...this.#state, confirmed: true }
  }

  check(token: string): TokenAnswer {
    return checkToken(this.#state, token)
  }

  rotate(token: string): string {
    const next = newResumeToken()
    this.#state = rotated(token, next)
    return next
  }
}
