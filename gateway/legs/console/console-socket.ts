// The console's live socket: sessions of one tenant as they run, and the turns of those that are watched.

import type { IncomingMessage } from 'node:http'
import type { RawData } from 'ws'
import { z } from 'zod'
import type { Identity } from '../../identity/identity.ts'
import type { AuthContext } from '../../platform/access.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import { asProblem, Problem } from '../../platform/problem.ts'
import type { ConsoleServerEvent, SessionView } from '../../protocol/rest.ts'
import type { Sessions } from '../../sessions/sessions.ts'
import type { Connection } from '../realtime/accept.ts'
import { closeSocket } from '../realtime/web-socket-channel.ts'
import { shownEvent, shownSession, shownTurns } from './shown.ts'

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

/** A revoked operator is cut off within this, and rights that changed count. */
const recheckMs = 3_000
const pingMs = 15_000
/** A console that does not read loses its socket, not our memory. */
const maxBufferedBytes = 1024 * 1024

export async function acceptConsole(deps: ConsoleDeps, { request, socket }: Connection): Promise<void> {
  socket.on('error', () => socket.terminate())
  try {
    if (!deps.consoleOrigins(request)) throw new Problem('origin_refused')
    await serve(deps, { request, socket }, await authorise(deps, request))
  } catch (thrown) {
    const problem = asProblem(thrown)
    deps.log[problem.kind.level]({ code: problem.code, err: problem.cause }, 'console socket refused')
    closeSocket(socket, problem)
  }
}

async function authorise(deps: ConsoleDeps, request: IncomingMessage): Promise<AuthContext> {
  const operator = await deps.identity.signedIn(request.headers.cookie)
  if (operator === undefined) throw new Problem('unauthenticated')
  const slug = new URL(request.url ?? '/', 'http://gateway').searchParams.get('tenant')
  const tenant = operator.tenants.find((each) => each.slug === slug)
  const auth = tenant === undefined ? undefined : await deps.identity.authFor.operator(operator, tenant.id)
  if (auth?.may('sessions.read') !== true) throw new Problem('not_found')
  return auth
}

async function serve(
  deps: ConsoleDeps,
  { request, socket }: Pick<Connection, 'request' | 'socket'>,
  first: AuthContext,
): Promise<void> {
  let auth = first
  const sessions = deps.sessions.of(auth.tenantId)
  const watched = new Map<string, SessionView>()
  const send = (event: ConsoleServerEvent): void => {
    if (socket.bufferedAmount > maxBufferedBytes) closeSocket(socket, new Problem('too_slow'))
    else if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(event))
  }
  // Watching begins before the snapshot, so nothing falls between; upserts may repeat, which is harmless.
  const stop = sessions.watch((event) => {
    const shown = shownEvent(auth, event, watched)
    if (shown !== undefined) send(shown)
  })
  const timers = [
    deps.clock.every(pingMs, () => send({ type: 'ping' })),
    deps.clock.every(recheckMs, () => {
      authorise(deps, request).then(
        (now) => {
          auth = now
        },
        (error: unknown) => closeSocket(socket, asProblem(error)),
      )
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
    try {
      const session = await sessions.get(sessionId)
      if (session === undefined || shownSession(auth, session) === undefined) return
      watched.set(sessionId, session)
      const turns = shownTurns(auth, session, await sessions.turns(sessionId))
      if (turns !== undefined) send({ type: 'turns', sessionId, turns })
    } catch (error) {
      deps.log.warn({ err: error, sessionId }, 'turns not read')
    }
  }
  const page = await sessions.list({ state: 'live', limit: 200 })
  send({ type: 'sessions', sessions: page.items.flatMap((each) => shownSession(auth, each) ?? []) })
}

function parse(data: RawData): unknown {
  try {
    return JSON.parse(Buffer.isBuffer(data) ? data.toString('utf8') : '')
  } catch {
    return undefined
  }
}
