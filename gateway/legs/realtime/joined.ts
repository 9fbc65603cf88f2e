// One client joined to its session: survives its connections, which come and go.

import type { Clock } from '../../platform/clock.ts'
import { Problem } from '../../platform/problem.ts'
import type { LegPort, Opened, OpenRequest } from '../../sessions/sessions.ts'
import type { Channel } from './channel.ts'
import { Inbound } from './inbound.ts'
import { Pace } from './pace.ts'
import type { Connected, RealtimeLeg } from './realtime-leg.ts'
import type { Refusal } from './refusal.ts'
import type { Bound } from './secret-session.ts'

export interface Made {
  readonly deps: { readonly clock: Clock; readonly joined: Map<string, Joined> }
  readonly request: OpenRequest & { readonly leg: RealtimeLeg }
  readonly opened: Opened
  /** A tenant's own backend may do more than a visitor. */
  readonly trusted: boolean
  /** What the client secret's maker wants of the session. */
  readonly bound?: Bound
}

/** A connection that continues: the last frame the client took, and its next way back. */
export interface Again {
  readonly lastSeq?: number
  readonly resumeToken?: string
}

export class Joined {
  readonly #made: Made
  readonly #inbound: Inbound
  /** Came with the connection in use. */
  #resumeToken: string | undefined
  readonly #modality: { current: 'audio' | 'text' }
  readonly #unbound: Refusal | undefined

  constructor(made: Made) {
    this.#made = made
    const { request, opened, deps } = made
    const { leg } = request
    const { port } = opened
    this.#modality = { current: opened.resumed?.voice === true ? 'audio' : request.outputModality }
    this.#inbound = new Inbound({
      leg,
      port,
      brief: request.brief,
      parley: leg.canReturn,
      modality: this.#modality,
      serverTools: opened.serverTools,
      sessionId: opened.sessionId,
      model: opened.engine.model,
      trusted: made.trusted,
      onShown: () => {
        if (this.#resumeToken !== undefined) port.confirmed(this.#resumeToken)
      },
      onTooManyErrors: () => {
        leg.end('internal', new Problem('invalid'))
        port.bye()
      },
    })
    this.#unbound = made.bound === undefined ? undefined : this.#inbound.bind(made.bound)
    leg.begin({
      opened,
      capabilities: () => port.capabilities,
      serverTools: new Set(opened.serverTools.map((tool) => tool.name)),
      modality: () => this.#modality.current,
      voice: () => this.#inbound.voice,
      onSlow: (slow) => port.slow(slow),
      // A call that goes on without us needs none of our connections.
      onLost: (lastByteAtMs) => {
        if (port.capabilities.media === 'relayed') port.lost(lastByteAtMs)
      },
      onAsleep: (sinceMs) => {
        if (sinceMs === undefined) port.awake()
        else if (port.capabilities.media === 'relayed') port.asleep(sinceMs)
      },
      onPlayed: (itemId, playedMs, final) => port.played(itemId, playedMs, final),
      onBroken: () => port.bye(),
    })
    if (!leg.canReturn) return
    deps.joined.set(opened.sessionId, this)
    void port.ended.then(() => {
      // It may be here again under a later epoch.
      if (deps.joined.get(opened.sessionId) === this) deps.joined.delete(opened.sessionId)
    })
  }

  get port(): LegPort {
    return this.#made.opened.port
  }

  attach(connected: Connected, again: Again): void {
    const { channel } = connected
    const { request, opened, deps } = this.#made
    const { leg } = request
    const { port } = opened
    const continues = again.resumeToken !== undefined
    this.#resumeToken = again.resumeToken ?? opened.resumeToken
    leg.attach(connected, {
      created: this.#inbound.sessionObject(),
      resumeToken: this.#resumeToken,
      voice: this.#modality.current === 'audio',
      history: continues ? [...opened.history.filter(isEarlier(opened)), ...port.turns] : opened.history,
      ...(continues ? { resumed: again } : opened.resumed === undefined ? {} : { resumed: opened.resumed }),
    })
    if (this.#unbound !== undefined) this.#turnAway(this.#unbound)
    if (continues) port.back()
    else if (channel.parley && opened.engine.demo && opened.resumed === undefined)
      leg.notice('demo_engine', 'You are talking to the built-in demo engine.')
    const pace = new Pace(deps.clock, channel, () => port.backlogBytes)
    channel.receive({
      message: (data, binary) => {
        if (!leg.isAttached(channel)) return
        leg.alive(channel)
        leg.answered()
        pace.took(this.#inbound.frame(data, binary), data.length)
      },
      alive: () => leg.alive(channel),
      closed: () => {
        pace.stop()
        leg.detach(channel)
      },
    })
  }

  /** An event that came with the connection instead of over it. */
  tell(channel: Channel, event: string): void {
    if (this.#made.request.leg.isAttached(channel)) this.#inbound.frame(Buffer.from(event), false)
  }

  /** Sound of the connection's own track, PCM16 24 kHz. A client with a switch for its microphone is heard when it is on. */
  hear(channel: Channel, pcm: Buffer): void {
    const { leg } = this.#made.request
    // No sign of life: a track goes on when its packets do not.
    if (!leg.isAttached(channel) || (!leg.isStock && this.#modality.current !== 'audio')) return
    this.#made.opened.port.audio({ pcm })
  }

  /** Without what was bound to the secret the agent would be another than its maker made. */
  #turnAway({ code, message, param }: Refusal): void {
    const { request, opened } = this.#made
    const error = { type: 'invalid_request_error', code, message, param, event_id: null }
    request.leg.send({ type: 'error', error })
    request.leg.end('internal', new Problem('unsupported', message))
    opened.port.bye()
  }
}

function isEarlier({ sessionId }: Opened): (turn: Opened['history'][number]) => boolean {
  return (turn) => turn.sessionId !== sessionId
}
