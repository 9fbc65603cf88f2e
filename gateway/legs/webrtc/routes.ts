// HTTP of calls, as the original's: an offer in, an answer out, hang up; and where a browser finds a relay.

import { z } from 'zod'
import { type RawBody, type RequestFacts, type Route, rawBody, route } from '../../platform/http.ts'
import { Problem } from '../../platform/problem.ts'
import { subprotocol } from '../../protocol/realtime.ts'
import type { Asked } from '../realtime/caller.ts'
import { readResumeOffer } from '../realtime/resume-offer.ts'
import { type SessionFields, sessionFields } from '../realtime/session-fields.ts'
import type { Calls, Placing } from './calls.ts'
import { maxSdpBytes } from './sdp.ts'

const named = z.string().max(100).optional()
const query = z.object({
  agent: named,
  model: named,
  /** `parley.v1`: our own events and the way back, as the WebSocket's subprotocol. */
  protocol: z.literal(subprotocol.parley).optional(),
  /** A client of ours that can do without our data channel: its events come over a socket, to which it is given the way. */
  media: z.literal('direct').optional(),
})
/** `<session id>.<token>.<number>` of a client that wants its session back. */
const resumeHeader = 'parley-resume'

/** What a client gets for its offer. */
export interface Placed {
  readonly id: string
  readonly sdp: string
  /** Who answered: the gateway, or the engine's provider past it. */
  readonly media: 'gateway' | 'direct'
  /** The way to the session, as the `parley-resume` subprotocol and header take it, for a client without a channel to us. */
  readonly resume?: string
}

export interface Placer extends Pick<Calls, 'hangUp' | 'ice'> {
  place(placing: Placing): Promise<Placed>
}

const iceReply = z
  .strictObject({
    ice_servers: z.array(
      z.strictObject({
        urls: z.array(z.string()),
        username: z.string().exactOptional(),
        credential: z.string().exactOptional(),
      }),
    ),
    expires_at: z.number().describe('Seconds since epoch.'),
  })
  .meta({ id: 'IceServers' })

export function webrtcRoutes(calls: Placer): Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/realtime/calls',
      access: 'public',
      replies: [{ type: 'application/sdp', status: 201 }],
      stock: true,
      raw: true,
      accepts: ['application/sdp', 'multipart/form-data'],
      summary: 'Answers a WebRTC offer (application/sdp, or a form with `sdp` and `session`) of a visitor or a tenant',
      query,
      body: rawBody,
      async run({ query: { agent, model, protocol, media }, body, facts }) {
        const { sdp, session } = await readCall(body)
        const resume = facts.header(resumeHeader)
        const placed = await calls.place({
          asked: askedBy(facts, { agent, model: model ?? session?.model }),
          ip: facts.ip,
          sdp,
          update: session === undefined ? undefined : JSON.stringify({ type: 'session.update', session }),
          parley: protocol !== undefined,
          takesDirect: protocol === undefined || media === 'direct',
          resume: resume === undefined || protocol === undefined ? undefined : readResumeOffer(resume),
        })
        return { status: 201, headers: headersOf(placed), text: placed.sdp }
      },
    }),
    route({
      method: 'POST',
      path: '/v1/realtime/calls/:id/hangup',
      access: 'public',
      status: 200,
      stock: true,
      summary: 'Ends a call',
      params: z.object({ id: z.string().max(64) }),
      async run({ params, facts }) {
        await calls.hangUp(askedBy(facts, {}), params.id)
        return { status: 200 }
      },
    }),
    route({
      method: 'GET',
      path: '/v1/realtime/ice',
      access: 'public',
      reply: iceReply,
      stock: true,
      summary: 'ICE servers for a browser, with credentials of the relay that run out',
      query: z.object({ agent: named, model: named }),
      async run({ query: asked, facts }) {
        const { servers, expiresAt } = await calls.ice(askedBy(facts, asked))
        return { json: { ice_servers: servers, expires_at: expiresAt } }
      },
    }),
  ]
}

function headersOf({ id, media, resume }: Placed): Record<string, string> {
  const headers = { 'content-type': 'application/sdp', location: `/v1/realtime/calls/${id}`, 'x-parley-media': media }
  return resume === undefined ? headers : { ...headers, 'x-parley-resume': resume }
}

function askedBy(facts: RequestFacts, names: { agent?: string | undefined; model?: string | undefined }): Asked {
  const header = facts.header('authorization')
  const token = header?.startsWith('Bearer ') === true ? header.slice(7).trim() : undefined
  const host = facts.header('host')
  return { token, agent: names.agent, model: names.model, origin: facts.origin ?? sameOrigin(facts, host), host }
}

/** A browser names no origin where a page only reads from its own; it says so in another header. */
function sameOrigin(facts: RequestFacts, host: string | undefined): string | undefined {
  return facts.header('sec-fetch-site') === 'same-origin' && host !== undefined ? `https://${host}` : undefined
}

interface Offered {
  readonly sdp: string
  readonly session?: SessionFields
}

async function readCall({ type, bytes }: RawBody): Promise<Offered> {
  if (bytes.length > 2 * maxSdpBytes) throw new Problem('too_large')
  if (type.startsWith('application/sdp')) return { sdp: checkedSdp(Buffer.from(bytes).toString('utf8')) }
  if (!type.startsWith('multipart/form-data'))
    throw new Problem('invalid', 'Send the offer as application/sdp, or a form with `sdp` and `session`.')
  const form = await formOf(type, bytes)
  const sdp = await textOf(form.get('sdp'))
  if (sdp === undefined) throw new Problem('invalid', 'The form has no `sdp`.')
  const session = await textOf(form.get('session'))
  return { sdp: checkedSdp(sdp), ...(session === undefined ? {} : { session: readSession(session) }) }
}

function checkedSdp(sdp: string): string {
  if (Buffer.byteLength(sdp) > maxSdpBytes) throw new Problem('too_large')
  return sdp
}

async function formOf(type: string, bytes: Uint8Array): Promise<FormData> {
  try {
    return await new Response(Buffer.from(bytes), { headers: { 'content-type': type } }).formData()
  } catch {
    throw new Problem('invalid', 'The form cannot be read.')
  }
}

/** A part may be a field or, with a content type of its own, a file. */
async function textOf(part: ReturnType<FormData['get']>): Promise<string | undefined> {
  if (part === null || typeof part === 'string') return part ?? undefined
  return part.text()
}

function readSession(text: string): SessionFields {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new Problem('invalid', '`session` is not JSON.')
  }
  const parsed = sessionFields.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new Problem('invalid', `Invalid value for 'session.${issue?.path.join('.')}': ${issue?.message}`)
}
