// A connection on /v1/realtime: who is it, which agent, is there room; then one leg joined to one session.

import type { IncomingMessage } from 'node:http'
import type { WebSocket } from 'ws'
import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import { asProblem, Problem } from '../../platform/problem.ts'
import { subprotocol } from '../../protocol/realtime.ts'
import type { Sessions } from '../../sessions/sessions.ts'
import { type Asked, authenticate, type Caller, type CallerDeps, requestOf } from './caller.ts'
import { type Channel, sendEvent } from './channel.ts'
import { Joined } from './joined.ts'
import { RealtimeLeg } from './realtime-leg.ts'
import { type ResumeOffer, readResumeOffer } from './resume-offer.ts'
import { WebSocketChannel } from './web-socket-channel.ts'

export interface AcceptDeps extends CallerDeps {
  readonly clock: Clock
  readonly log: Log
  readonly sessions: Sessions
  /** Live sessions of this process by id: where a returning client's connection goes. */
  readonly joined: Map<string, Joined>
}

export interface Connection {
  readonly request: IncomingMessage
  readonly socket: WebSocket
  readonly ip: string
}

export async function acceptRealtime(deps: AcceptDeps, { request, socket, ip }: Connection): Promise<void> {
  const channel = new WebSocketChannel(socket)
  if (speaksBeta(request)) {
    refuse(deps, channel, new Problem('invalid', betaMessage), 'beta_api_shape_disabled')
    return
  }
  try {
    const caller = await authenticate(deps, askedBy(request))
    await run(deps, caller, { request, channel, ip })
  } catch (thrown) {
    refuse(deps, channel, asProblem(thrown))
  }
}

/** A browser cannot read a failed upgrade: the error is an event, then the close code. */
function refuse(deps: AcceptDeps, channel: Channel, problem: Problem, code: string = problem.code): void {
  const level = problem.kind.level
  deps.log[level]({ code: problem.code, ...(level === 'error' ? { err: problem.cause } : {}) }, 'connection refused')
  sendEvent(channel, {
    type: 'error',
    error: { type: 'invalid_request_error', code, message: problem.message, param: null, event_id: null },
    parley: problem.body(),
  })
  channel.close(problem)
}

const betaMessage = 'The beta of the Realtime API is not served any more: use the GA interface, without OpenAI-Beta.'

/** Its events have other names and shapes: who asks for them would wait for what never comes. */
function speaksBeta({ headers }: IncomingMessage): boolean {
  const named = `${String(headers['openai-beta'] ?? '')},${headers['sec-websocket-protocol'] ?? ''}`
  return /\brealtime=v1\b|\bopenai-beta\.realtime-v1\b/.test(named)
}

function offered(request: IncomingMessage, prefix: string): string | undefined {
  const protocols = request.headers['sec-websocket-protocol']?.split(',').map((each) => each.trim()) ?? []
  return protocols.find((each) => each.startsWith(prefix))?.slice(prefix.length)
}

export function askedBy(request: IncomingMessage): Asked {
  const { authorization, origin, host } = request.headers
  const query = new URL(request.url ?? '/', 'http://gateway').searchParams
  const bearer = authorization?.startsWith('Bearer ') === true ? authorization.slice(7).trim() : undefined
  return {
    token: bearer ?? offered(request, subprotocol.tokenPrefix),
    agent: query.get('agent') ?? undefined,
    model: query.get('model') ?? undefined,
    origin,
    host,
  }
}

async function run(
  deps: AcceptDeps,
  caller: Caller,
  connection: { readonly request: IncomingMessage; readonly channel: Channel; readonly ip: string },
): Promise<void> {
  const { channel, ip } = connection
  const leg = new RealtimeLeg({ clock: deps.clock, kind: 'websocket', parley: channel.parley, plays: false })
  const request = await requestOf(deps, caller, { ip, leg })
  // A connection that waited somewhere on its way may be given up by now: nothing is taken or held for it.
  const isGone = (): boolean => !channel.isOpen
  if (isGone()) return
  const wanted = channel.parley ? resumeOf(connection.request) : undefined
  const { trusted, bound } = caller
  const made = { deps, request, trusted, ...(bound === undefined ? {} : { bound }) }
  if (wanted === undefined) {
    const opened = await deps.sessions.open(request)
    new Joined({ ...made, opened }).attach({ kind: 'websocket', channel }, {})
    opened.start()
    return
  }
  const answer = await deps.sessions.resume({ ...request, ...wanted, isGone })
  if (answer.is === 'here') {
    // The connection before it goes on, and so does its token.
    if (isGone()) return
    const joined = deps.joined.get(wanted.sessionId)
    if (joined === undefined) throw new Problem('gone')
    joined.attach({ kind: 'websocket', channel }, { lastSeq: wanted.lastSeq, resumeToken: answer.resumeToken })
    return
  }
  new Joined({ ...made, opened: answer.opened }).attach({ kind: 'websocket', channel }, {})
  answer.opened.start()
}

/** `parley-resume.<session id>.<token>.<last seq>` among the subprotocols. */
function resumeOf(request: IncomingMessage): ResumeOffer | undefined {
  const found = offered(request, subprotocol.resumePrefix)
  return found === undefined ? undefined : readResumeOffer(found)
}
