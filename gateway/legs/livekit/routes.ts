// A room with an agent in it for a customer's backend or a visitor, and what the LiveKit server tells.

import { z } from 'zod'
import { type RequestFacts, type Route, type RouteReply, rawBody, route } from '../../platform/http.ts'
import { newId } from '../../platform/ids.ts'
import type { Log } from '../../platform/log.ts'
import { Problem } from '../../platform/problem.ts'
import { authenticate } from '../realtime/caller.ts'
import type { Desk, DeskDeps } from './desk.ts'
import { answerOutside } from './outside.ts'
import { callerToken, tokenLifeSeconds } from './tokens.ts'
import { readHook } from './webhook.ts'

export type RoutesDeps = DeskDeps & {
  readonly desk: Desk
  /** Where browsers reach the server. */
  readonly publicUrl: string
}

const sessionBody = z.strictObject({
  /** With an API key. A visitor's token names its agent itself. */
  agent: z.string().min(1).max(40).optional(),
  /** With an API key: a room of the tenant's own, new or there already. The answer tells its full name. */
  room: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, '1 to 64 letters, digits, - or _')
    .optional(),
  /** With an API key: whom the room is for, as in `POST /v1/realtime/client_secrets`. */
  visitor: z
    .strictObject({ id: z.string().min(1).max(128).optional(), email: z.email().max(254).optional() })
    .optional(),
  /** Shown to others in the room. */
  name: z.string().trim().min(1).max(80).optional(),
})

const roomReply = z
  .strictObject({
    url: z.string().describe('Where the LiveKit server is reached.'),
    token: z.string(),
    room: z.string(),
    identity: z.string(),
    expiresAt: z.number().describe('Seconds since epoch.'),
    sessionId: z.string(),
    conversationId: z.string(),
    agent: z.strictObject({ slug: z.string(), name: z.string(), identity: z.string() }),
  })
  .meta({ id: 'LiveKitRoom' })

/** `deps` undefined: this gateway has no LiveKit server. */
export function livekitRoutes(deps: RoutesDeps | undefined): Route[] {
  const on = (): RoutesDeps => {
    if (deps === undefined)
      throw new Problem('livekit_unavailable', 'This gateway is not connected to a LiveKit server.')
    return deps
  }
  return [
    route({
      method: 'POST',
      path: '/v1/livekit/sessions',
      access: 'public',
      status: 201,
      reply: roomReply,
      // Pages ask for rooms of their own.
      stock: true,
      summary:
        'An agent joins a LiveKit room; the answer is a token of one minute for one caller (API key or visitor token)',
      body: sessionBody,
      run: ({ body, facts }) => openSession(on(), body, facts),
    }),
    route({
      method: 'POST',
      path: '/v1/livekit/webhooks',
      access: 'public',
      summary: 'Events of the LiveKit server, signed with its key: a caller in a room that names an agent is answered',
      raw: true,
      accepts: ['application/webhook+json'],
      busy: true,
      body: rawBody,
      run: ({ body, facts }) => takeHook(on(), Buffer.from(body.bytes).toString('utf8'), facts),
    }),
  ]
}

async function openSession(
  deps: RoutesDeps,
  body: z.output<typeof sessionBody>,
  facts: RequestFacts,
): Promise<RouteReply> {
  const bearer = facts.header('authorization')
  const caller = await authenticate(deps, {
    token: bearer?.startsWith('Bearer ') === true ? bearer.slice(7).trim() : undefined,
    agent: body.agent,
    model: undefined,
    origin: facts.origin,
    host: facts.header('host'),
    visitor: body.visitor,
  })
  // What it is bound to is said over the events of a Realtime session, and its holder must not get around it.
  if (caller.bound !== undefined) throw new Problem('forbidden', 'This secret is bound to a session of /v1/realtime.')
  if (!caller.trusted && (body.room !== undefined || body.visitor !== undefined))
    throw new Problem('forbidden', 'Only an API key may name a room or a visitor.')
  // Names are the tenant's own: nobody gets a token for a room of another one.
  const room = `${caller.tenantId}.${body.room ?? newId('sess')}`
  const identity = newId('vis')
  const after = body.room === undefined ? 'close_room' : 'leave'
  const { opened, agent } = await deps.desk.open({ caller, ip: facts.ip, room, identity, after })
  const token = await callerToken(deps.keys, { room, identity, name: body.name ?? 'Visitor' })
  return {
    json: {
      url: deps.publicUrl,
      token,
      room,
      identity,
      expiresAt: Math.floor(deps.clock.now() / 1000) + tokenLifeSeconds,
      sessionId: opened.sessionId,
      conversationId: opened.conversationId,
      agent,
    },
  }
}

async function takeHook(deps: RoutesDeps, body: string, facts: RequestFacts): Promise<RouteReply> {
  const hook = await readHook(deps.keys, body, facts.header('authorization'))
  if (hook.is === 'forged') throw new Problem('unauthenticated')
  if (hook.is === 'unreadable') deps.log.warn('a webhook of the LiveKit server was not understood')
  // The server waits for the answer and repeats what it gets none for: it is not kept waiting for an agent.
  if (hook.is === 'entered') void answerOutside(deps, hook).catch((error: unknown) => tellOff(deps.log, error))
  return { status: 204 }
}

function tellOff(log: Log, error: unknown): void {
  if (error instanceof Problem)
    log[error.kind.level]({ code: error.code }, 'a caller of a LiveKit room was not answered')
  else log.error({ err: error }, 'a caller of a LiveKit room was not answered')
}
