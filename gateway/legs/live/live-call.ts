// One Live session joined to its client, and to whoever attached to it.

import type { Brief } from '../../agents/agents.ts'
import type { Clock, Timer } from '../../platform/clock.ts'
import { newId, type TenantId } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'
import type { EndReason } from '../../protocol/realtime.ts'
import type { Opened } from '../../sessions/sessions.ts'
import type { Channel } from '../realtime/channel.ts'
import { plainAppend } from '../realtime/client-event.ts'
import { Pace } from '../realtime/pace.ts'
import { Decoder } from './audio-format.ts'
import { appendHead, parseClientEvent } from './client-event.ts'
import { type Client, Controls } from './controls.ts'
import { Delegations } from './delegations.ts'
import { DeltaSink } from './delta-sink.ts'
import type { Entrance } from './entrance.ts'
import { errorEvent, errorOfProblem, type LiveError, type LiveEvent, liveError } from './live-error.ts'
import type { LiveLeg } from './live-leg.ts'
import { Outlets, stamped } from './outlets.ts'
import type { InputMessage, Plan } from './session-plan.ts'
import { Settings } from './settings.ts'
import { Timeline } from './timeline.ts'

export interface LiveCallNeeds {
  readonly clock: Clock
  readonly tenantId: TenantId
  /** As the agent has it, without the client's changes. */
  readonly brief: Brief
  readonly trusted: boolean
  readonly plan: Plan
  readonly leg: LiveLeg
  readonly opened: Opened
  readonly startEventId: string | null | undefined
}

const usageEveryMs = 60_000
/** A client that only sends nonsense is closed after this many errors in a row. */
const maxErrorsInARow = 20

const reasons: Readonly<Record<EndReason, string>> = {
  client_ended: 'close_requested',
  client_gone: 'connection_lost',
  idle: 'expired',
  duration_cap: 'expired',
  out_of_credit: 'expired',
  operator: 'remote_hangup',
  revoked: 'remote_hangup',
  engine_failed: 'connection_lost',
  engine_ended: 'expired',
  drain: 'expired',
  janitor: 'expired',
  replaced: 'remote_hangup',
  internal: 'connection_lost',
}

export class LiveCall {
  readonly tenantId: TenantId
  readonly sessionId: string
  readonly ended: Promise<void>
  readonly #needs: LiveCallNeeds
  readonly #timeline: Timeline
  readonly #outlets: Outlets
  readonly #decoder: Decoder
  readonly #settings: Settings
  readonly #controls: Controls
  readonly #client: Client
  #started: LiveEvent | undefined
  #usage: Timer | undefined
  #isMuted = false
  #closeEventId: string | null | undefined

  constructor(needs: LiveCallNeeds) {
    const { clock, plan, leg, opened, tenantId, trusted, brief } = needs
    const { port, sessionId, serverTools } = opened
    this.#needs = needs
    this.tenantId = tenantId
    this.sessionId = sessionId
    this.ended = port.ended
    this.#client = { trusted, isPrimary: true }
    this.#timeline = new Timeline(clock)
    this.#outlets = new Outlets((frame) => leg.send(frame))
    this.#decoder = new Decoder(plan.format)
    const expiresAt = Math.floor((clock.now() + brief.limits.maxDurationMs) / 1000)
    const policy = { brief, trusted }
    this.#settings = new Settings({ plan, policy, port, serverTools, sessionId, expiresAt })
    this.#delegations = new Delegations({
      delegation: plan.delegation,
      nowMs: () => this.#timeline.nowMs,
      seconds: () => Math.floor(clock.now() / 1000),
      tell: (event) => this.#tell(event),
      unknown: (callId) => {
        port.toolResult(callId, JSON.stringify({ error: 'unknown_tool', message: 'There is no such tool.' }))
        port.respond()
      },
    })
    this.#controls = new Controls({
      ...{ port, leg, plan, delegations: this.#delegations, settings: this.#settings },
      nowMs: () => this.#timeline.nowMs,
      tell: (event, clientEventId) => this.#tell(event, clientEventId),
      mute: (on) => {
        this.#isMuted = on
      },
      close: (eventId) => {
        this.#closeEventId = eventId
        port.bye()
      },
    })
  }

  readonly #delegations: Delegations

  #tell(event: LiveEvent, clientEventId?: string | null): void {
    // Before it has started a session says nothing but what is wrong.
    if (this.#timeline.hasBegun || event.type === 'error') this.#outlets.say(event, clientEventId)
  }

  /** The client's connection; the session is told to it once its engine is ready. */
  join(entrance: Entrance): void {
    const { leg, plan, opened, clock } = this.#needs
    const { port, serverTools } = opened
    const { channel } = entrance
    const sink = new DeltaSink(plan.format, {
      timeline: this.#timeline,
      outlets: this.#outlets,
      client: (frame) => leg.send(frame),
    })
    const pace = new Pace(clock, channel, () => port.backlogBytes)
    leg.attach(channel, sink, {
      timeline: this.#timeline,
      delegations: this.#delegations,
      serverTools: new Set(serverTools.map(({ name }) => name)),
      tell: (event) => this.#tell(event),
      onReady: () => this.#begin(entrance, pace),
      onSlow: (slow) => port.slow(slow),
      onLost: (lastByteAtMs) => port.lost(lastByteAtMs),
      onPlayed: (itemId, ms, final) => port.played(itemId, ms, final),
      onEnd: (reason, problem) => this.#end(reason, problem),
      onBroken: () => port.bye(),
    })
    entrance.watch({
      alive: () => leg.alive(),
      closed: () => {
        pace.stop()
        leg.detach()
      },
    })
  }

  #begin(entrance: Entrance, pace: Pace): void {
    if (this.#timeline.hasBegun) return
    const { clock, plan, startEventId } = this.#needs
    this.#timeline.begin()
    const started = { type: 'session.started', session: this.#settings.resource() }
    this.#started = this.#outlets.say(started, startEventId)
    this.#usage = clock.every(usageEveryMs, () =>
      this.#tell({ type: 'session.usage.updated', usage: { seconds: this.#seconds } }),
    )
    for (const param of plan.withoutEffect) this.#tell(withoutEffect(param))
    this.#seed(plan.input)
    const hears = this.#listener(entrance.channel, this.#client)
    entrance.open((data, binary) => pace.took(hears(data, binary), data.length))
  }

  /** A question at the end is a turn of the person's; what comes before it is known. */
  #seed(input: readonly InputMessage[]): void {
    const { port } = this.#needs.opened
    const last = input.at(-1)
    const known = last?.role === 'user' ? input.slice(0, -1) : input
    const lines = known.map(({ role, text }) => (role === 'developer' ? text : `${speakers[role]}: ${text}`))
    if (lines.length > 0)
      port.command({ type: 'note', text: `Before this conversation, oldest first:\n${lines.join('\n')}` })
    if (last?.role === 'user') port.userText(newId('item'), last.text)
  }

  /** A connection that hears everything of the session and may steer it. False: there are enough. */
  attach(channel: Channel, onClosed: () => void): boolean {
    if (!this.#outlets.add(channel)) return false
    if (this.#started !== undefined) channel.send(JSON.stringify(this.#started), false)
    const pace = new Pace(this.#needs.clock, channel, () => 0)
    const hears = this.#listener(channel, { trusted: true, isPrimary: false })
    channel.receive({
      message: (data, binary) => pace.took(hears(data, binary), data.length),
      alive: () => {},
      closed: () => {
        pace.stop()
        this.#outlets.remove(channel)
        onClosed()
      },
    })
    return true
  }

  hangUp(): void {
    this.#needs.opened.port.bye()
  }

  /** Takes the frames of one connection; gives the milliseconds of sound in each. */
  #listener(channel: Channel, client: Client): (data: Buffer, binary: boolean) => number {
    let errors = 0
    const wrong = (error: LiveError, eventId: string | null | undefined): number => {
      channel.send(JSON.stringify(stamped(errorEvent(error, eventId))), false)
      if (++errors >= maxErrorsInARow) this.#tooManyErrors(channel, client)
      return 0
    }
    return (data, binary) => {
      if (client.isPrimary) this.#needs.leg.alive()
      if (binary) return wrong(liveError('invalid_value', 'Events are text frames.'), undefined)
      const base64 = client.isPrimary ? plainAppend(data, appendHead) : undefined
      if (base64 !== undefined) {
        const bytes = Buffer.from(data.toString('latin1', appendHead.length, appendHead.length + base64), 'base64')
        // The decoder skips what is no base64; here nothing may be skipped.
        if (bytes.length !== Math.floor(((base64 - padding(data)) * 3) / 4)) return wrong(notBase64, undefined)
        const ms = this.#hear(bytes)
        if (ms !== undefined) errors = 0
        return ms ?? wrong(halfSample, undefined)
      }
      const parsed = parseClientEvent(data)
      if (parsed.is === 'wrong') return wrong(parsed.error, parsed.eventId)
      const { event } = parsed
      if (client.isPrimary && event.type === 'session.input_audio.append')
        return this.#hear(Buffer.from(event.audio, 'base64')) ?? wrong(halfSample, event.event_id)
      const error = this.#controls.apply(event, client)
      if (error !== undefined) return wrong(error, event.event_id)
      errors = 0
      return 0
    }
  }

  #tooManyErrors(channel: Channel, { isPrimary }: Client): void {
    if (!isPrimary) {
      channel.close(new Problem('invalid'))
      return
    }
    this.#needs.leg.end('internal', new Problem('invalid'))
    this.#needs.opened.port.bye()
  }

  /** The client's sound in its own encoding. Undefined: no whole samples. */
  #hear(bytes: Buffer): number | undefined {
    const pcm = this.#decoder.push(bytes)
    if (pcm === undefined) return undefined
    const { leg, opened } = this.#needs
    if (this.#outlets.isObserved)
      this.#outlets.reflect({ type: 'session.input_audio.append', audio: pcm.toString('base64') })
    // What is not to be heard is silence: an engine that listens needs to hear an end.
    const isHeard = !this.#isMuted && !leg.playsFixture
    opened.port.audio({ pcm: isHeard ? pcm : Buffer.alloc(pcm.length) })
    return this.#decoder.msOf(bytes.length)
  }

  get #seconds(): number {
    return this.#timeline.nowMs / 1000
  }

  /** The last words. Of a session that never started there are none but what was wrong. */
  #end(reason: EndReason, problem: Problem | undefined): void {
    this.#usage?.cancel()
    if (problem !== undefined) this.#tell(errorEvent(errorOfProblem(problem), this.#eventIdOfEnd))
    if (this.#timeline.hasBegun) {
      const usage = { seconds: this.#seconds }
      const session = this.#settings.resource()
      this.#tell({ type: 'session.closed', reason: reasons[reason], session, usage }, this.#closeEventId)
    }
    this.#outlets.end(problem)
  }

  /** A session that fails to start is the answer to its `session.start`. */
  get #eventIdOfEnd(): string | null | undefined {
    return this.#timeline.hasBegun ? undefined : this.#needs.startEventId
  }
}

const speakers = { user: 'The person', assistant: 'You' }
const notBase64 = liveError('invalid_audio', 'The audio is not base64.', 'audio')
const halfSample = liveError('invalid_audio', 'PCM is whole samples: an even number of bytes.', 'audio')

function padding(frame: Buffer): number {
  const equals = 0x3d
  const end = frame.length - 3
  return frame[end] !== equals ? 0 : frame[end - 1] === equals ? 2 : 1
}

function withoutEffect(param: string): LiveEvent {
  const message = `${param} makes no difference: the agent's own engine works behind the voice.`
  return { type: 'info', code: 'parameter_without_effect', message }
}
