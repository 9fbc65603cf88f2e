// A connection on /v1/realtime: who is it, which agent, is there room; then one leg joined to one session.

import type { IncomingMessage } from 'node:http'
import type { WebSocket } from 'ws'
import type { Agents } from '../../agents/agents.ts'
import type { Identity } from '../../identity/identity.ts'
import type { Clock } from '../../platform/clock.ts'
import { isOwnOrigin } from '../../platform/http.ts'
import { newId, type TenantId } from '../../platform/ids.ts'
import type { Log } from '../../platform/log.ts'
import { asProblem, Problem } from '../../platform/problem.ts'
import { subprotocol } from '../../protocol/realtime.ts'
import type { Channel } from '../../protocol/turn.ts'
import type { ResumeRequest, Sessions } from '../../sessions/sessions.ts'
import type { Tenants } from '../../tenants/tenants.ts'
import { Early } from './early.ts'
import { Joined } from './joined.ts'
import { type Bound, boundTo } from './secret-session.ts'
import { closeSocket, sendEvent, WebSocketLeg } from './websocket-leg.ts'

export interface AcceptDeps {
  readonly clock: Clock
  readonly log: Log
  readonly tenants: Tenants
  readonly identity: Identity
  readonly agents: Agents
  readonly sessions: Sessions
  /** Live sessions of this process by id: where a returning client's connection goes. */
  readonly joined: Map<string, Joined>
}

type Wanted = Pick<ResumeRequest, 'sessionId' | 'token' | 'lastSeq'>

export interface Connection {
  readonly request: IncomingMessage
  readonly socket: WebSocket
  readonly ip: string
}

interface Caller {
  readonly tenantId: TenantId
  readonly agentId: string
  readonly contactId: string
  readonly keyId: string
  readonly signingKeyId?: string
  readonly channel: Channel
  readonly trusted: boolean
  /** What came with the client secret. */
  readonly bound?: Bound
}

export async function acceptRealtime(deps: AcceptDeps, connection: Connection): Promise<void> {
  const { socket } = connection
  const early = new Early(socket)
  socket.on('error', () => socket.terminate())
  if (speaksBeta(connection.request)) {
    refuse(deps, socket, new Problem('invalid', betaMessage), 'beta_api_shape_disabled')
    return
  }
  try {
    const caller = await authenticate(deps, connection)
    await run(deps, connection, caller, early)
  } catch (thrown) {
    refuse(deps, socket, asProblem(thrown))
  }
}

/** A browser cannot read a failed upgrade: the error is an event, then the close code. */
function refuse(deps: AcceptDeps, socket: WebSocket, problem: Problem, code: string = problem.code): void {
  const level = problem.kind.level
  deps.log[level]({ code: problem.code, ...(level === 'error' ? { err: problem.cause } : {}) }, 'connection refused')
  sendEvent(socket, {
    type: 'error',
    error: { type: 'invalid_request_error', code, message: problem.message, param: null, event_id: null },
    parley: problem.body(),
  })
  closeSocket(socket, problem)
}

const betaMessage = 'The beta of the Realtime API is not served any more: use the GA interface, without OpenAI-Beta.'

/** Its events have other names and shapes: who asks for them would wait for what never comes. */
function speaksBeta({ headers }: IncomingMessage): boolean {
  const named = `${String(headers['openai-beta'] ?? '')},${headers['sec-websocket-protocol'] ?? ''}`
  return /\brealtime=v1\b|\bopenai-beta\.realtime-v1\b/.test(named)
}

function credential(request: IncomingMessage): string | undefined {
  const header = request.headers.authorization
  if (header?.startsWith('Bearer ') === true) return header.slice(7).trim()
  const offered = request.headers['sec-websocket-protocol']?.split(',').map((each) => each.trim()) ?? []
  return offered.find((each) => each.startsWith(subprotocol.tokenPrefix))?.slice(subprotocol.tokenPrefix.length)
}

async function authenticate(deps: AcceptDeps, { request }: Connection): Promise<Caller> {
  const token = credential(request)
  if (token === undefined || token === '') throw new Problem('unauthenticated')
  const query = new URL(request.url ?? '/', 'http://gateway').searchParams
  const slug = query.get('agent') ?? query.get('model')
  if (token.startsWith('af_')) return byApiKey(deps, token, slug)
  const { origin, host } = request.headers
  const answer = await deps.identity.verifyVisitor(token, { origin, ownPage: isOwnOrigin(origin, host) })
  if (answer.is === 'refused') throw new Problem(answer.code)
  const { claims } = answer
  const agent = await deps.agents.of(claims.tenantId).byId(claims.agentId)
  // Stock clients always name a model; only our own parameter must match.
  const named = query.get('agent')
  if (agent === undefined || (named !== null && named !== agent.slug)) throw new Problem('unknown_agent')
  return {
    ...(claims.bound === true ? { bound: await boundTo(deps, claims) } : {}),
    tenantId: claims.tenantId,
    agentId: claims.agentId,
    contactId: claims.contactId,
    keyId: claims.keyId,
    signingKeyId: claims.signingKeyId,
    channel: claims.channel,
    // A client secret is held by a visitor's browser, whoever asked for it.
    trusted: false,
  }
}

async function byApiKey(deps: AcceptDeps, key: string, slug: string | null): Promise<Caller> {
  const found = await deps.identity.verifyApiKey(key)
  if (found === undefined) throw new Problem('unauthenticated')
  if (!found.abilities.includes('realtime.create')) throw new Problem('forbidden')
  const agents = deps.agents.of(found.tenantId)
  const agent = slug === null ? undefined : await agents.bySlug(slug)
  if (agent === undefined)
    throw new Problem('unknown_agent', 'Name one of your agents by ?agent=<slug> or ?model=<slug>.')
  const contactId = await deps.identity.contact({
    tenantId: found.tenantId,
    visitorId: newId('vis'),
    vouched: true,
  })
  return { tenantId: found.tenantId, agentId: agent.id, contactId, keyId: found.keyId, channel: 'api', trusted: true }
}

async function run(deps: AcceptDeps, connection: Connection, caller: Caller, early: Early): Promise<void> {
  const { socket } = connection
  const parley = socket.protocol === subprotocol.parley
  const [tenant, brief] = await Promise.all([deps.tenants.byId(caller.tenantId), deps.agents.resolve(caller)])
  if (tenant === undefined || tenant.status !== 'active') throw new Problem('revoked')
  if (brief === undefined) throw new Problem('agent_inactive')
  const request = {
    tenantId: caller.tenantId,
    plan: tenant.plan,
    brief,
    contactId: caller.contactId,
    channel: caller.channel,
    keyId: caller.keyId,
    ...(caller.signingKeyId === undefined ? {} : { signingKeyId: caller.signingKeyId }),
    ip: connection.ip,
    leg: new WebSocketLeg(deps.clock, parley),
    outputModality: parley ? ('text' as const) : ('audio' as const),
  }
  // A connection that waited somewhere on its way may be given up by now: nothing is taken or held for it.
  const isGone = (): boolean => socket.readyState !== socket.OPEN
  if (isGone()) return
  const wanted = parley ? resumeOf(connection.request) : undefined
  const { trusted, bound } = caller
  const made = { deps, request, trusted, ...(bound === undefined ? {} : { bound }) }
  if (wanted === undefined) {
    const opened = await deps.sessions.open(request)
    new Joined({ ...made, opened }).attach(socket, early, {})
    opened.start()
    return
  }
  const answer = await deps.sessions.resume({ ...request, ...wanted, isGone })
  if (answer.is === 'here') {
    // The connection before it goes on, and so does its token.
    if (isGone()) return
    const joined = deps.joined.get(wanted.sessionId)
    if (joined === undefined) throw new Problem('gone')
    joined.attach(socket, early, { lastSeq: wanted.lastSeq, resumeToken: answer.resumeToken })
    return
  }
  new Joined({ ...made, opened: answer.opened }).attach(socket, early, {})
  answer.opened.start()
}

const resumeOffer = /^([\w-]{1,80})\.([\w-]{20,100})\.(\d{1,15})$/

/** `parley-resume.<session id>.<token>.<last seq>` among the subprotocols. Throws `invalid` for one that is malformed. */
function resumeOf(request: IncomingMessage): Wanted | undefined {
  const offered = request.headers['sec-websocket-protocol']?.split(',').map((each) => each.trim()) ?? []
  const found = offered.find((each) => each.startsWith(subprotocol.resumePrefix))
  if (found === undefined) return undefined
  const [, sessionId, token, lastSeq] = resumeOffer.exec(found.slice(subprotocol.resumePrefix.length)) ?? []
  if (sessionId === undefined || token === undefined) throw new Problem('invalid', 'The offer to resume is malformed.')
  return { sessionId, token, lastSeq: Number(lastSeq) }
}
