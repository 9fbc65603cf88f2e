// Whether a server is there and takes our key: asked at the start of a session, known for all sessions of the next minute.

import type { Clock } from '../../platform/clock.ts'
import { failureOf, type PartFailure, statusFailure } from './failure.ts'
import { Patience } from './patience.ts'
import { reach } from './reach.ts'
import { headersFor, type Server } from './server.ts'

const goodMs = 60_000
const badMs = 3_000
/** A server that thinks longer is taken for there: the first real request will tell. */
const waitMs = 1_200

export class Probe {
  readonly #clock: Clock
  readonly #known = new Map<string, { readonly untilMs: number; readonly failure: PartFailure | undefined }>()
  readonly #asking = new Map<string, Promise<PartFailure | undefined>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Undefined: nothing speaks against it. Never rejects. */
  failure(server: Server): Promise<PartFailure | undefined> {
    const known = this.#known.get(server.name)
    if (known !== undefined && known.untilMs > this.#clock.monotonicMs()) return Promise.resolve(known.failure)
    const asking = this.#asking.get(server.name) ?? this.#ask(server).finally(() => this.#asking.delete(server.name))
    this.#asking.set(server.name, asking)
    return asking
  }

  async #ask(server: Server): Promise<PartFailure | undefined> {
    const failure = await ask(server, this.#clock)
    const untilMs = this.#clock.monotonicMs() + (failure === undefined ? goodMs : badMs)
    this.#known.set(server.name, { untilMs, failure })
    return failure
  }
}

async function ask(server: Server, clock: Clock): Promise<PartFailure | undefined> {
  const patience = new Patience(clock, new AbortController().signal)
  patience.wait(waitMs)
  try {
    const response = await reach(`${server.baseUrl}/models`, { headers: probeHeaders(server), signal: patience.signal })
    await response.body?.cancel()
    // Not every server has a list of models, and a busy one may be well in a moment.
    return response.status === 401 || response.status === 403 ? statusFailure(response.status, '', null) : undefined
  } catch (thrown) {
    const failure = patience.signal.aborted ? undefined : failureOf(thrown)
    return failure?.code === 'unreachable' ? failure : undefined
  } finally {
    patience.rest()
  }
}

function probeHeaders(server: Server): Readonly<Record<string, string>> {
  const key = server.apiKey ?? ''
  if (server.kind === 'anthropic') return { 'x-api-key': key, 'anthropic-version': '2023-06-01' }
  if (server.kind === 'google') return { 'x-goog-api-key': key }
  return headersFor(server)
}
