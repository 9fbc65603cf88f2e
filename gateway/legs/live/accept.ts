// A connection on /v1/live/sessions: who is it, what does it want of which agent, is there room; then one leg joined to one
// session. On …/{id}/attach: whose session is it.

import type { IncomingMessage } from 'node:http'
import type { Log } from '../../platform/log.ts'
import { asProblem, Problem } from '../../platform/problem.ts'
import { type AcceptDeps, askedBy, type Connection } from '../realtime/accept.ts'
import { type Asked, authenticate, requestOf } from '../realtime/caller.ts'
import { type Channel, sendEvent } from '../realtime/channel.ts'
import { WebSocketChannel } from '../realtime/web-socket-channel.ts'
import { Entrance } from './entrance.ts'
import { LiveCall } from './live-call.ts'
import type { LiveCalls } from './live-calls.ts'
import { errorEvent, errorOfProblem, type LiveError } from './live-error.ts'
import { LiveLeg } from './live-leg.ts'
import { planOf } from './session-plan.ts'

export type LiveDeps = Pick<AcceptDeps, 'clock' | 'log' | 'tenants' | 'identity' | 'agents' | 'sessions'> & {
  readonly liveCalls: LiveCalls
}

/** Of a path below /v1/live/sessions; undefined: none of ours. */
export type LivePath =
  | { readonly is: 'primary' }
  | { readonly is: 'attach'; readonly sessionId: string }
  | { readonly is: 'fork' }

const paths = /^\/v1\/live\/sessions(?:\/([\w-]{1,80})\/(attach|fork))?$/

export function livePathOf(pathname: string): LivePath | undefined {
  const [found, sessionId, what] = paths.exec(pathname) ?? []
  if (found === undefined) return undefined
  if (sessionId === undefined) return { is: 'primary' }
  return what === 'fork' ? { is: 'fork' } : { is: 'attach', sessionId }
}

export async function acceptLive(deps: LiveDeps, connection: Connection, path: LivePath): Promise<void> {
  const channel = new WebSocketChannel(connection.socket)
  try {
    if (path.is === 'primary') await open(deps, connection, new Entrance(deps.clock, channel))
    else if (path.is === 'attach') await attach(deps, connection.request, { channel, sessionId: path.sessionId })
    else throw new Problem('unsupported', noForks)
  } catch (thrown) {
    refuse(deps.log, channel, asProblem(thrown))
  }
}

/** A revoked key is cut off within this. */
const recheckMs = 5_000

export const noForks = 'Sessions are not recorded here (store is false), so that none can be forked.'

/** A browser cannot read a failed upgrade, and nothing but an error may come before a session has started. */
function refuse(
  log: Log,
  channel: Channel,
  problem: Problem,
  said?: { error: LiveError; eventId: string | null | undefined },
): void {
  const { level } = problem.kind
  log[level]({ code: problem.code, ...(level === 'error' ? { err: problem.cause } : {}) }, 'connection refused')
  const event = errorEvent(said?.error ?? errorOfProblem(problem), said?.eventId)
  sendEvent(channel, { ...event, parley: problem.body() })
  channel.close(problem)
}

async function open(deps: LiveDeps, { request, ip }: Connection, entrance: Entrance): Promise<void> {
  const { channel } = entrance
  const asked = askedBy(request)
  await recognise(deps, asked)
  const start = await entrance.started()
  if (start.is === 'gone') return
  if (start.is === 'refused') {
    refuse(deps.log, channel, new Problem('invalid', start.error.message), start)
    return
  }
  const { session, event_id: eventId } = start.event
  const caller = await authenticate(deps, { ...asked, model: asked.model ?? session.model })
  // What it is bound to is said in the words of the other protocol, and its holder must not get around it.
  if (caller.bound !== undefined) throw new Problem('forbidden', 'This secret is bound to a session of /v1/realtime.')
  const leg = new LiveLeg(deps.clock, 'websocket')
  const wanted = await requestOf(deps, caller, { ip, leg })
  const planned = planOf(session, { brief: wanted.brief, trusted: caller.trusted })
  if (planned.is === 'refused') {
    refuse(deps.log, channel, new Problem('invalid', planned.error.message), {
      error: planned.error,
      eventId,
    })
    return
  }
  // Nothing is held for who has gone meanwhile.
  if (!channel.isOpen) return
  const { plan } = planned
  const opened = await deps.sessions.open({ ...wanted, brief: plan.brief, clientTools: plan.clientTools })
  const { clock } = deps
  const { tenantId, trusted } = caller
  const call = new LiveCall({ clock, tenantId, trusted, brief: wanted.brief, plan, leg, opened, startEventId: eventId })
  deps.liveCalls.add(call)
  call.join(entrance)
  opened.start()
}

/** A credential that is none is refused before anybody waits for what it wants; the agent may be named only then. */
async function recognise(deps: LiveDeps, { token = '', origin, host }: Asked): Promise<void> {
  if (token.startsWith('af_') && (await deps.identity.verifyApiKey(token)) === undefined)
    throw new Problem('unauthenticated')
  if (!token.startsWith('af_')) await authenticate(deps, { token, origin, host, agent: undefined, model: undefined })
}

async function attach(
  deps: LiveDeps,
  request: IncomingMessage,
  { channel, sessionId }: { readonly channel: Channel; readonly sessionId: string },
): Promise<void> {
  const { token = '' } = askedBy(request)
  const graceful = new URL(request.url ?? '/', 'http://gateway').searchParams.get('graceful_close')
  // Every close here is one with a handshake.
  if (graceful !== null && graceful !== 'true' && graceful !== 'false')
    throw new Problem('invalid', 'graceful_close is true or false.')
  const key = token.startsWith('af_') ? await deps.identity.verifyApiKey(token) : undefined
  if (key === undefined) throw new Problem(token.startsWith('af_') || token === '' ? 'unauthenticated' : 'forbidden')
  if (!(await deps.identity.authFor.key(key)).may('realtime.create')) throw new Problem('forbidden')
  const call = deps.liveCalls.get(key.tenantId, sessionId)
  if (call === undefined) throw await absent(deps, key.tenantId, sessionId)
  // The session outlives the key of one that only attached to it.
  const rechecks = deps.clock.every(recheckMs, () => void recheck(deps, channel, token))
  if (call.attach(channel, () => rechecks.cancel())) return
  rechecks.cancel()
  throw new Problem('too_many', 'Enough connections are attached to this session.')
}

async function recheck(deps: LiveDeps, channel: Channel, token: string): Promise<void> {
  // A store that does not answer revokes nothing.
  const key = await deps.identity.verifyApiKey(token).catch(() => 'unknown')
  if (key === undefined) channel.close(new Problem('revoked'))
}

async function absent(deps: LiveDeps, ...[tenantId, sessionId]: Parameters<LiveCalls['get']>): Promise<Problem> {
  const session = await deps.sessions.of(tenantId).get(sessionId)
  if (session === undefined || session.state === 'ended') return new Problem('not_found', 'There is no such session.')
  return new Problem(
    'conflict',
    'The session is no Live session, or lives in another process: attach through the gateway that its client reached.',
  )
}
