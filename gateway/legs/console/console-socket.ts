// The console's live socket: sessions of one tenant as they run, and the turns of those that are watched.

import type { IncomingMessage } from 'node:http'
import type { RawData, WebSocket } from 'ws'
import { z } from 'zod'
import type { Identity } from '../../identity/identity.ts'
import type { Clock } from '../../platform/clock.ts'
import type { TenantId } from '../../platform/ids.ts'
import type { Log } from '../../platform/log.ts'
import { asProblem, Problem } from '../../platform/problem.ts'
import type { ConsoleServerEvent } from '../../protocol/rest.ts'
import type { LiveEvent, Sessions } from '../../sessions/sessions.ts'
import type { Connection } from '../realtime/accept.ts'
import { closeSocket } from '../realtime/web-socket-channel.ts'

export interface ConsoleDeps {
  readonly clock: Clock
  readonly log: Log
  readonly identity: Identity
  readonly sessions: Sessions
  /** Origins the console is served from. */
  readonly consoleOrigins: (request: IncomingMessage) => boolean
}

const clientEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('watch'), sessionId: z.string().max(64) }),
  z.object({ type: z.literal('unwatch'), sessionId: z.string().max(64) }),
  z.object({ type: z.literal('pong') }),
])

/** A revoked operator is cut off within this. */
const recheckMs = 5_000
const pingMs = 15_000
/** A console that does not read loses its socket, not our memory. */
const maxBufferedBytes = 1024 * 1024

export async function acceptConsole(deps: ConsoleDeps, { request, socket }: Connection): Promise<void> {
  socket.on('error', () => socket.terminate())
  try {
    if (!deps.consoleOrigins(request)) throw new Problem('origin_refused')
    const tenantId = await authorise(deps, request)
    await serve(deps, request, socket, tenantId)
  } catch (thrown) {
    const problem = asProblem(thrown)
    deps.log[problem.kind.level]({ code: problem.code, err: problem.cause }, 'console socket refused')
    closeSocket(socket, problem)
  }
}

async function authorise(deps: ConsoleDeps, request: IncomingMessage): Promise<TenantId> {
  const operator = await deps.identity.signedIn(request.headers.cookie)
  if (operator === undefined) throw new Problem('unauthenticated')
  const slug = new URL(request.url ?? '/', 'http://gateway').searchParams.get('tenant')
  const tenant = operator.tenants.find((each) => each.slug === slug)
  if (tenant?.abilities.includes('sessions.read') !== true) throw new Problem('not_found')
  return tenant.id
}

async function serve(
  deps: ConsoleDeps,
  request: IncomingMessage,
  socket: WebSocket,
  tenantId: TenantId,
): Promise<void> {
  const sessions = deps.sessions.of(tenantId)
  const watched = new Set<string>()
  const send = (event: ConsoleServerEvent): void => {
    if (socket.bufferedAmount > maxBufferedBytes) closeSocket(socket, new Problem('too_slow'))
    else if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(event))
  }
  // Watching begins before the snapshot, so nothing falls between; upserts may repeat, which is harmless.
  const stop = sessions.watch((event) => tell(event, watched, send))
  const timers = [
    deps.clock.every(pingMs, () => send({ type: 'ping' })),
    deps.clock.every(recheckMs, () => {
      authorise(deps, request).catch((error: unknown) => closeSocket(socket, asProblem(error)))
    }),
  ]
  socket.on('close', () => {
    stop()
    for (const timer of timers) timer.cancel()
  })
  socket.on('message', (data: RawData) => {
    const event = clientEvent.safeParse(parse(data))
    if (!event.success) closeSocket(socket, new Problem('invalid'))
    else if (event.data.type === 'unwatch') watched.delete(event.data.sessionId)
    else if (event.data.type === 'watch') void watch(event.data.sessionId)
  })
  const watch = async (sessionId: string): Promise<void> => {
    watched.add(sessionId)
    try {
      send({ type: 'turns', sessionId, turns: await sessions.turns(sessionId) })
    } catch (error) {
      deps.log.warn({ err: error, sessionId }, 'turns not read')
    }
  }
  const page = await sessions.list({ state: 'live', limit: 200 })
  send({ type: 'sessions', sessions: page.items })
}

function tell(event: LiveEvent, watched: ReadonlySet<string>, send: (event: ConsoleServerEvent) => void): void {
  if (event.is === 'session') send({ type: 'session', session: event.session })
  else if (!watched.has(event.sessionId)) return
  else if (event.is === 'turn') send({ type: 'turn', sessionId: event.sessionId, turn: event.turn })
  else
    send({
      type: 'notice',
      sessionId: event.sessionId,
      code: event.code,
      text: event.text,
      at: new Date().toISOString(),
    })
}

function parse(data: RawData): unknown {
  try {
    return JSON.parse(Buffer.isBuffer(data) ? data.toString('utf8') : '')
  } catch {
    return undefined
  }
}
