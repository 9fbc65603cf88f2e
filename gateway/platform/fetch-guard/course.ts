// One request from the first hop to the last byte: its deadline, its redirects, its place in the bulkhead, its end.

import type { Clock } from '../clock.ts'
import type { Bulkhead } from './bulkhead.ts'
import { cappedBody } from './capped-body.ts'
import { FetchProblem, refused } from './fetch-problem.ts'
import { redirected, redirects } from './redirect.ts'
import { type Exchange, exchange, type Outgoing } from './send.ts'
import { type Target, type TargetDeps, targetOf } from './target.ts'

export interface CourseDeps {
  readonly target: TargetDeps
  readonly clock: Clock
  readonly bulkhead: Bulkhead
}

export interface CourseOptions {
  /** Whose place in the bulkhead it takes. */
  readonly key: string
  readonly maxBytes: number
  /** From the wait for a place to the last byte of the answer, ms. */
  readonly totalMs: number
  readonly redirect: RequestInit['redirect']
  readonly signal: AbortSignal | undefined
}

/** Its address is still to be read. */
export type FirstRequest = Omit<Outgoing, 'url'> & { readonly url: string | URL }

const maxRedirects = 3
/** Statuses of which the WHATWG Response takes no body. */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304])

export class Course {
  readonly #deps: CourseDeps
  readonly #options: CourseOptions
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  #exchange: Exchange | undefined
  #leave: (() => void) | undefined
  #isLate = false
  #sent = false

  constructor(deps: CourseDeps, options: CourseOptions) {
    this.#deps = deps
    this.#options = options
    const given = options.signal
    this.#signal = given === undefined ? this.#stop.signal : AbortSignal.any([this.#stop.signal, given])
  }

  /** Rejects with FetchProblem, or with the reason of the caller's own signal. */
  async run(request: FirstRequest): Promise<Response> {
    const timer = this.#deps.clock.after(this.#options.totalMs, () => {
      this.#isLate = true
      this.#stop.abort()
    })
    const end = (): void => {
      timer.cancel()
      this.#signal.removeEventListener('abort', end)
      this.#exchange?.end()
      this.#leave?.()
    }
    // Also for an answer that nobody reads to its end.
    this.#signal.addEventListener('abort', end)
    try {
      this.#signal.throwIfAborted()
      this.#leave = await this.#deps.bulkhead.enter(this.#options.key, this.#signal)
      return this.#response(await this.#follow(request), end)
    } catch (error) {
      end()
      throw this.#problem(error)
    }
  }

  async #follow(first: FirstRequest): Promise<{ readonly url: URL; readonly answer: Exchange['answer'] }> {
    let request: FirstRequest = first
    for (let hop = 0; ; hop += 1) {
      const target = await this.#unlessStopped(targetOf(request.url, this.#deps.target))
      const outgoing = { ...request, url: target.url }
      const { answer } = await this.#send(target, outgoing)
      const location = redirects.has(answer.status) ? answer.headers.get('location') : null
      if (location === null || this.#options.redirect === 'manual') return { url: target.url, answer }
      if (this.#options.redirect === 'error') throw refused('The other side redirects.')
      if (hop === maxRedirects) throw refused(`More than ${maxRedirects} redirects.`)
      this.#exchange?.end()
      request = redirected(outgoing, { status: answer.status, location })
    }
  }

  async #send(target: Target, request: Outgoing): Promise<Exchange> {
    if (target.addresses.length === 0) throw this.#unreachable('This name has no address.')
    this.#exchange = await exchange(target, request, {
      maxBytes: this.#options.maxBytes,
      signal: this.#signal,
      onConnected: () => {
        this.#sent = true
      },
    })
    return this.#exchange
  }

  #response(last: { readonly url: URL; readonly answer: Exchange['answer'] }, end: () => void): Response {
    const { answer, url } = last
    const { maxBytes } = this.#options
    if (Number(answer.headers.get('content-length') ?? 0) > maxBytes) throw this.#tooLarge()
    if (answer.status > 599) throw this.#unreachable('The answer has a status that is none.')
    const headers = new Headers([...answer.headers])
    // Of the bytes on the wire: whoever reads gets them unpacked.
    if (headers.has('content-encoding')) for (const name of ['content-encoding', 'content-length']) headers.delete(name)
    const isEmpty = answer.body === null || bodiless.has(answer.status)
    if (isEmpty) end()
    const body = isEmpty
      ? null
      : cappedBody(answer.body, { maxBytes, onEnd: end, problem: (error) => this.#problem(error) })
    const response = new Response(body, { status: answer.status, statusText: answer.statusText, headers })
    Object.defineProperty(response, 'url', { value: url.href })
    return response
  }

  #problem(error: unknown): unknown {
    // Refused at its second address, it has been at the first.
    if (error instanceof FetchProblem)
      return this.#sent ? new FetchProblem(error.code, error.message, { cause: error, sent: true }) : error
    if (this.#isLate)
      return new FetchProblem('timeout', `No whole answer within ${this.#options.totalMs / 1000} s.`, {
        sent: this.#sent,
      })
    const { signal } = this.#options
    if (signal?.aborted === true) return signal.reason
    return error === undefined || isOverflow(error) ? this.#tooLarge(error) : this.#unreachable(undefined, error)
  }

  #tooLarge(cause?: unknown): FetchProblem {
    return new FetchProblem('too_large', `The answer is larger than ${this.#options.maxBytes / 1024} KB.`, {
      sent: this.#sent,
      cause,
    })
  }

  #unreachable(message = 'The other side cannot be reached.', cause?: unknown): FetchProblem {
    return new FetchProblem('unreachable', message, { sent: this.#sent, cause })
  }

  /** A name server has its own patience, longer than ours may be. */
  #unlessStopped<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const stop = (): void => reject(this.#signal.reason)
      this.#signal.addEventListener('abort', stop, { once: true })
      promise.then(resolve, reject).finally(() => this.#signal.removeEventListener('abort', stop))
    })
  }
}

const overflows: ReadonlySet<unknown> = new Set(['UND_ERR_HEADERS_OVERFLOW', 'UND_ERR_RES_EXCEEDED_MAX_SIZE'])

/** fetch wraps what went wrong below it. */
function isOverflow(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return ('code' in error && overflows.has(error.code)) || isOverflow(error.cause)
}
