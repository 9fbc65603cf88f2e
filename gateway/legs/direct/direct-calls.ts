// Calls whose sound goes between the browser and the engine's provider: the offer is passed on, the answer handed back, and a
// leg without sound is joined to the session. Where that cannot be, the gateway ends the call itself.

import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { OpenRequest, Sessions } from '../../sessions/sessions.ts'
import { authenticate, type Caller, type CallerDeps, requestOf } from '../realtime/caller.ts'
import { Joined } from '../realtime/joined.ts'
import { RealtimeLeg } from '../realtime/realtime-leg.ts'
import { type Calls, callIdOf, type Placing } from '../webrtc/calls.ts'
import type { Placed, Placer } from '../webrtc/routes.ts'
import { readOffer } from '../webrtc/sdp.ts'

export interface DirectCallsDeps extends CallerDeps {
  readonly clock: Clock
  readonly log: Log
  readonly sessions: Sessions
  readonly joined: Map<string, Joined>
}

/** A provider that takes longer is answered for by the gateway: the person waits for a tone. */
const answerMs = 8_000

type Request = OpenRequest & { readonly leg: RealtimeLeg }
type Outcome =
  | { readonly is: 'placed'; readonly placed: Placed }
  /** The gateway has to take the call; the caller is known by then. */
  | { readonly is: 'not_here'; readonly caller: Caller }

export class DirectCalls {
  readonly #deps: DirectCallsDeps
  readonly #here = new Map<string, () => void>()

  constructor(deps: DirectCallsDeps) {
    this.#deps = deps
  }

  /** How each call of this process is hung up. */
  get here(): ReadonlyMap<string, () => void> {
    return this.#here
  }

  async place(placing: Placing): Promise<Outcome> {
    const caller = await authenticate(this.#deps, placing.asked)
    const notHere = { is: 'not_here', caller } as const
    const { clock, sessions } = this.#deps
    const offer = readOffer(placing.sdp)
    // Who comes back, or wants other settings than the agent's, is answered by us; and so is every fault of the offer.
    const isOurs = placing.resume !== undefined || placing.update !== undefined || !placing.takesDirect
    if (offer.is === 'wrong' || isOurs) return notHere
    const leg = new RealtimeLeg({ clock, kind: 'direct', parley: placing.parley, plays: false })
    const request = await requestOf(this.#deps, caller, { ip: placing.ip, leg })
    const dialect = sessions.directDialect(request.brief)
    // A stock client would not understand another protocol over its own channel.
    if (dialect === undefined || (dialect === 'none' && !placing.parley)) return notHere
    const placed = await this.#place(request, caller, offer.sdp)
    return placed === undefined ? notHere : { is: 'placed', placed }
  }

  async #place(request: Request, { trusted }: Caller, offer: string): Promise<Placed | undefined> {
    const { sessions, log, clock } = this.#deps
    const answer = Promise.withResolvers<string | undefined>()
    const { leg } = request
    let joined: Joined | undefined
    const direct = {
      offer,
      answered: (sdp: string) => answer.resolve(sdp),
      lost: () => this.#lost(leg, joined),
    }
    const opened = await sessions.open({ ...request, outputModality: 'audio', direct })
    const { sessionId, resumeToken, port } = opened
    joined = new Joined({ deps: this.#deps, request: { ...request, outputModality: 'audio' }, opened, trusted })
    const id = callIdOf(sessionId)
    this.#here.set(id, () => port.bye())
    void port.ended.then(() => {
      this.#here.delete(id)
      answer.resolve(undefined)
    })
    const timer = clock.after(answerMs, () => answer.resolve(undefined))
    opened.start()
    const sdp = await answer.promise
    timer.cancel()
    if (sdp === undefined) {
      log.warn({ tenantId: request.tenantId, sessionId }, 'the provider did not take a direct call')
      port.bye()
      return undefined
    }
    return {
      id,
      sdp,
      media: 'direct',
      ...(resumeToken === undefined ? {} : { resume: `${sessionId}.${resumeToken}.0` }),
    }
  }

  /** Whether the person can be heard over a connection to us: one that is there, or one that may come. */
  #lost(leg: RealtimeLeg, joined: Joined | undefined): boolean {
    if (!leg.canReturn || joined === undefined) return false
    leg.notice('media_lost', 'The call is going on over another connection.')
    if (!leg.isConnected) joined.port.lost(this.#deps.clock.monotonicMs())
    return true
  }
}

/** The same front door for both: past us where that is possible, to us otherwise. */
export function pastUs(direct: DirectCalls, calls: Calls): Placer {
  return {
    hangUp: (asked, id) => calls.hangUp(asked, id),
    ice: (asked) => calls.ice(asked),
    async place(placing) {
      const outcome = await direct.place(placing)
      if (outcome.is === 'placed') return outcome.placed
      return { ...(await calls.place({ ...placing, caller: outcome.caller })), media: 'gateway' }
    },
  }
}
