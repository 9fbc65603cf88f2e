// A connection on /v1/realtime: who is it, which agent, is there room; then one leg joined to one session.

import type { IncomingMessage } from 'node:http'
import type { RawData, WebSocket } from 'ws'
import type { Agents, Brief } from '../../agents/agents.ts'
import type { Identity } from '../../identity/identity.ts'
import type { Clock } from '../../platform/clock.ts'
import { isOwnOrigin } from '../../platform/http.ts'
import { newId, type TenantId } from '../../platform/ids.ts'
import type { Log } from '../../platform/log.ts'
import { asProblem, Problem } from '../../platform/problem.ts'
import { subprotocol } from '../../protocol/realtime.ts'
import type { Channel } from '../../protocol/turn.ts'
import type { Opened, Sessions } from '../../sessions/sessions.ts'
import type { Tenants } from '../../tenants/tenants.ts'
import { Inbound } from './inbound.ts'
import { Pace } from './pace.ts'
import { closeSocket, sendEvent, WebSocketLeg } from './websocket-leg.ts'

export interface AcceptDeps {
  readonly clock: Clock
  readonly log: Log
  readonly tenants: Tenants
  readonly identity: Identity
  readonly agents: Agents
  readonly sessions: Sessions
}

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
}

/** Frames a client may send before its session is open; more is a client that does not listen. */
const maxEarlyBytes = 512 * 1024

export async function acceptRealtime(deps: AcceptDeps, connection: Connection): Promise<void> {
  const { socket } = connection
  const early = new Early(socket)
  socket.on('error', () => socket.terminate())
  try {
    const caller = await authenticate(deps, connection)
    await run(deps, connection, caller, early)
  } catch (thrown) {
    refuse(deps, socket, asProblem(thrown))
  }
}

/** A browser cannot read a failed upgrade: the error is an event, then the close code. */
function refuse(deps: AcceptDeps, socket: WebSocket, problem: Problem): void {
  const level = problem.kind.level
  deps.log[level]({ code: problem.code, ...(level === 'error' ? { err: problem.cause } : {}) }, 'connection refused')
  sendEvent(socket, {
    type: 'error',
    error: { type: 'invalid_request_error', code: problem.code, message: problem.message, param: null, event_id: null },
    parley: problem.body(),
  })
  closeSocket(socket, problem)
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
  const leg = new WebSocketLeg(socket, deps.clock, parley)
  const opened = await deps.sessions.open({
    tenantId: caller.tenantId,
    plan: tenant.plan,
    brief,
    contactId: caller.contactId,
    channel: caller.channel,
    keyId: caller.keyId,
    ...(caller.signingKeyId === undefined ? {} : { signingKeyId: caller.signingKeyId }),
    ip: connection.ip,
    leg,
    outputModality: parley ? 'text' : 'audio',
  })
  join(deps, { connection, caller, brief, leg, opened, parley, early })
}

interface Joined {
  readonly connection: Connection
  readonly caller: Caller
  readonly brief: Brief
  readonly leg: WebSocketLeg
  readonly opened: Opened
  readonly parley: boolean
  readonly early: Early
}

function join(deps: AcceptDeps, made: Joined): void {
  const { leg, opened, parley, brief } = made
  const { socket } = made.connection
  const { port } = opened
  const modality: { current: 'audio' | 'text' } = { current: parley ? 'text' : 'audio' }
  const inbound = new Inbound({
    leg,
    port,
    brief,
    parley,
    modality,
    capabilities: opened.engine.capabilities,
    serverTools: opened.serverTools,
    sessionId: opened.sessionId,
    model: opened.engine.model,
    trusted: made.caller.trusted,
    onTooManyErrors: () => {
      leg.end('internal', new Problem('invalid'))
      port.lost()
    },
  })
  leg.begin({
    conversationId: opened.conversationId,
    capabilities: opened.engine.capabilities,
    serverTools: new Set(opened.serverTools.map((tool) => tool.name)),
    modality: () => modality.current,
    onSlow: (slow) => port.slow(slow),
    onLost: () => port.lost(),
  })
  leg.send({ type: 'session.created', session: inbound.sessionObject() })
  if (parley) {
    leg.hello(opened)
    if (opened.engine.demo) leg.notice('demo_engine', 'You are talking to the built-in demo engine.')
  }
  const pace = new Pace(deps.clock, socket, () => port.backlogBytes)
  made.early.handOver((data, binary) => {
    leg.alive()
    pace.took(inbound.frame(data, binary), data.length)
  })
  socket.on('close', () => {
    pace.stop()
    port.lost()
  })
  if (socket.readyState !== socket.OPEN) port.lost()
  else opened.start()
}

/** What the client sends while its session is being opened: kept in order, bounded. */
class Early {
  readonly #socket: WebSocket
  #frames: { data: Buffer; binary: boolean }[] = []
  #bytes = 0
  readonly #listener: (data: RawData, binary: boolean) => void

  constructor(socket: WebSocket) {
    this.#socket = socket
    this.#listener = (data, binary) => {
      const frame = toBuffer(data)
      this.#bytes += frame.length
      if (this.#bytes > maxEarlyBytes) closeSocket(socket, new Problem('too_many'))
      else this.#frames.push({ data: frame, binary })
    }
    socket.on('message', this.#listener)
  }

  handOver(take: (data: Buffer, binary: boolean) => void): void {
    this.#socket.off('message', this.#listener)
    for (const { data, binary } of this.#frames.splice(0)) take(data, binary)
    this.#socket.on('message', (data: RawData, binary: boolean) => take(toBuffer(data), binary))
  }
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}
