// The calls of this process: who may place one, how many there are, and their ends.

import type { Clock } from '../../platform/clock.ts'
import { newId, type TenantId } from '../../platform/ids.ts'
import type { Log } from '../../platform/log.ts'
import { Problem } from '../../platform/problem.ts'
import type { Opened, Sessions } from '../../sessions/sessions.ts'
import { type Asked, authenticate, type Caller, type CallerDeps, requestOf } from '../realtime/caller.ts'
import { Joined } from '../realtime/joined.ts'
import { RealtimeLeg } from '../realtime/realtime-leg.ts'
import type { ResumeOffer } from '../realtime/resume-offer.ts'
import { Call, type Target } from './call.ts'
import { type IceConfig, type IceGrant, iceGrant } from './ice.ts'
import type { LoadNative, Native } from './native.ts'
import { Peer } from './peer.ts'
import { readOffer } from './sdp.ts'

export interface WebRtcConfig extends IceConfig {
  readonly on: boolean
  readonly maxPeers: number
  readonly publicIp: string | undefined
  readonly ports: { readonly min: number; readonly max: number } | undefined
}

export interface CallsDeps extends CallerDeps {
  readonly clock: Clock
  readonly log: Log
  readonly sessions: Sessions
  readonly joined: Map<string, Joined>
  readonly webrtc: WebRtcConfig
  readonly loadNative: LoadNative
  /** Calls that have no peer here, by their id: how they are hung up. */
  readonly direct: ReadonlyMap<string, () => void>
}

export interface Placing {
  readonly asked: Asked
  /** Known already. */
  readonly caller?: Caller
  readonly ip: string
  readonly sdp: string
  /** The `session.update` that the client wants first. */
  readonly update: string | undefined
  readonly parley: boolean
  /** Its channel may go to the engine's provider. */
  readonly takesDirect: boolean
  readonly resume: ResumeOffer | undefined
}

/** Somebody hangs up soon: nobody knows when. */
const crowdedRetryMs = 5_000
const closeMs = 1_000

export class Calls {
  readonly #deps: CallsDeps
  readonly #calls = new Map<string, Call>()
  /** Peers, those included whose session is still being opened. */
  readonly #peers = new Set<Peer>()

  constructor(deps: CallsDeps) {
    this.#deps = deps
  }

  get size(): number {
    return this.#peers.size
  }

  async place(placing: Placing): Promise<{ readonly id: string; readonly sdp: string }> {
    const { asked, ip, parley } = placing
    const native = await this.#native()
    const caller = placing.caller ?? (await authenticate(this.#deps, asked))
    const offer = readOffer(placing.sdp)
    if (offer.is === 'wrong') throw new Problem('invalid', offer.why)
    const leg = new RealtimeLeg({ clock: this.#deps.clock, kind: 'webrtc', parley, plays: true })
    const request = await requestOf(this.#deps, caller, { ip, leg })
    const peer = this.#newPeer(native, caller)
    try {
      const sdp = await peer.answer(offer.sdp)
      const { sessionId, target } = await this.#session(placing, request, caller)
      const id = callIdOf(sessionId)
      const onOver = (): void => {
        this.#peers.delete(peer)
        if (this.#calls.get(id) === call) this.#calls.delete(id)
      }
      const { clock, log } = this.#deps
      const call = new Call({ clock, log, peer, hasChannel: offer.hasChannel, target, onOver })
      this.#calls.set(id, call)
      return { id, sdp }
    } catch (error) {
      peer.close()
      this.#peers.delete(peer)
      throw error
    }
  }

  async #native(): Promise<Native> {
    const native = this.#deps.webrtc.on ? await this.#deps.loadNative() : undefined
    if (native === undefined) throw new Problem('webrtc_unavailable')
    return native
  }

  #newPeer(native: Native, { contactId }: Caller): Peer {
    const { webrtc, clock } = this.#deps
    const { maxPeers, ports, publicIp } = webrtc
    if (this.#peers.size >= maxPeers) throw new Problem('too_many', undefined, { retryAfterMs: crowdedRetryMs })
    const { servers: iceServers } = iceGrant(webrtc, contactId, clock.now())
    const peer = new Peer({ native, clock, iceServers, ports, publicIp })
    this.#peers.add(peer)
    return peer
  }

  async #session(
    { parley, resume, update }: Placing,
    request: Awaited<ReturnType<typeof requestOf<RealtimeLeg>>>,
    { trusted, bound }: Caller,
  ): Promise<{ readonly sessionId: string; readonly target: Target }> {
    const { sessions, joined: here } = this.#deps
    const fresh = (opened: Opened, from: 'new' | 'taken') => ({
      sessionId: opened.sessionId,
      target: {
        joined: new Joined({
          ...{ deps: this.#deps, request, opened, trusted },
          ...(bound === undefined ? {} : { bound }),
        }),
        port: opened.port,
        again: {},
        from,
        start: () => opened.start(),
        update,
        parley,
      },
    })
    if (resume === undefined) return fresh(await sessions.open(request), 'new')
    const answer = await sessions.resume({ ...request, ...resume, isGone: () => false })
    if (answer.is === 'taken') return fresh(answer.opened, 'taken')
    const joined = here.get(resume.sessionId)
    if (joined === undefined) throw new Problem('gone')
    const again = { lastSeq: resume.lastSeq, resumeToken: answer.resumeToken }
    return {
      sessionId: resume.sessionId,
      target: { joined, port: joined.port, again, from: 'here', start: undefined, update, parley },
    }
  }

  /** By the tenant's key, or by the person whose call it is. */
  async hangUp(asked: Asked, id: string): Promise<void> {
    const { sessions } = this.#deps
    const { tenantId, contactId } = await this.#whose(asked)
    const sessionId = sessionIdOf(id)
    const view = sessionId === undefined ? undefined : await sessions.of(tenantId).get(sessionId)
    if (view === undefined || (contactId !== undefined && view.contactId !== contactId)) throw new Problem('not_found')
    const call = this.#calls.get(id)
    const direct = this.#deps.direct.get(id)
    if (call !== undefined) call.hangUp()
    else if (direct !== undefined) direct()
    else await sessions.of(tenantId).end(view.id, 'hung up by HTTP')
  }

  async #whose(asked: Asked): Promise<{ readonly tenantId: TenantId; readonly contactId?: string }> {
    const { token } = asked
    if (token?.startsWith('af_') !== true) return authenticate(this.#deps, asked)
    const key = await this.#deps.identity.verifyApiKey(token)
    if (key === undefined) throw new Problem('unauthenticated')
    if (!(await this.#deps.identity.authFor.key(key)).may('realtime.create')) throw new Problem('forbidden')
    return { tenantId: key.tenantId }
  }

  /** What a browser needs to find its way here. */
  async ice(asked: Asked): Promise<IceGrant> {
    await this.#native()
    const { contactId } = await this.#whose(asked)
    return iceGrant(this.#deps.webrtc, contactId ?? newId('vis'), this.#deps.clock.now())
  }

  /** The sessions have ended: what is left gets a moment for its last words. */
  async close(): Promise<void> {
    const untilMs = this.#deps.clock.monotonicMs() + closeMs
    while (this.#peers.size > 0 && this.#deps.clock.monotonicMs() < untilMs)
      await new Promise<void>((resolve) => this.#deps.clock.after(20, resolve))
    for (const call of this.#calls.values()) call.over()
    for (const peer of this.#peers) peer.close()
    this.#peers.clear()
  }
}

/** A call is named after its session, so that any process knows whose it is. */
export function callIdOf(sessionId: string): string {
  return sessionId.replace(/^sess_/, 'rtc_')
}

function sessionIdOf(callId: string): string | undefined {
  return callId.startsWith('rtc_') ? callId.replace(/^rtc_/, 'sess_') : undefined
}
