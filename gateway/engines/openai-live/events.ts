// The provider's events as far as we read them. Tolerant: unknown fields and events pass; a known event in a shape that says
// nothing is told as malformed, never thrown.

import { z } from 'zod'
import type { AppendKind } from './commands.ts'

const id = z.string().min(1)
const text = z.string()
const seconds = z.number().nonnegative()

const started = z.object({
  session: z.object({ id, model: text.catch(''), expires_at: z.number().optional().catch(undefined) }),
})
const audio = z.object({ delta: z.string().min(1) })
/** Azure's copies have fractions; only differences are used. */
const transcript = z.object({ delta: text, start_ms: z.number().catch(0), end_ms: z.number().catch(0) })
const appended = z.object({ client_event_id: text.nullish().catch(undefined) })
const delegation = z.object({
  delegation: z.object({ id, target: text, response_id: text.nullish().catch(undefined) }),
})
const nested = z.object({ event: z.looseObject({ type: id }), delegation_id: text.nullish().catch(undefined) })
const usage = z.object({ usage: z.object({ seconds }) })
const closed = z.object({
  reason: text.catch('unknown'),
  usage: z.object({ seconds }).optional().catch(undefined),
})
const problem = z.object({
  error: z.object({
    type: text.catch('error'),
    code: text.nullish().catch(undefined),
    message: text.catch(''),
    client_event_id: text.nullish().catch(undefined),
  }),
  client_event_id: text.nullish().catch(undefined),
})

interface StartedEvent {
  readonly is: 'started'
  readonly id: string
  readonly model: string
  readonly expiresAtMs: number | undefined
}

export interface UsageEvent {
  readonly is: 'usage'
  readonly seconds: number
}

/** The only proof that the session was finalized. `seconds` missing: the bill is unconfirmed. */
interface ClosedEvent {
  readonly is: 'closed'
  readonly reason: string
  readonly seconds: number | undefined
}

/** What happens between start and end. */
export type VoiceEvent =
  | { readonly is: 'audio'; readonly pcm: Buffer }
  /** Positions in the session's own time, approximate. */
  | { readonly is: 'heard' | 'said'; readonly delta: string; readonly startMs: number; readonly endMs: number }
  | { readonly is: 'appended'; readonly kind: AppendKind; readonly eventId: string | undefined }
  | { readonly is: 'delegated'; readonly id: string; readonly target: string }
  | { readonly is: 'nested'; readonly event: Readonly<Record<string, unknown>> & { readonly type: string } }
  | { readonly is: 'error'; readonly code: string; readonly message: string; readonly eventId: string | undefined }
  | { readonly is: 'other'; readonly name: string }
  | { readonly is: 'malformed'; readonly name: string }

export type LiveEvent = StartedEvent | UsageEvent | ClosedEvent | VoiceEvent

type Read = (event: unknown) => LiveEvent | undefined

export function readLiveEvent(frame: Buffer): LiveEvent {
  const raw = json(frame)
  const name = typeof raw === 'object' && raw !== null && 'type' in raw ? raw.type : undefined
  if (typeof name !== 'string') return { is: 'malformed', name: 'frame' }
  const read = readers.get(name)
  return read === undefined ? { is: 'other', name } : (read(raw) ?? { is: 'malformed', name })
}

function on<S extends z.ZodType>(schema: S, read: (event: z.output<S>) => LiveEvent | undefined): Read {
  return (event) => {
    const parsed = schema.safeParse(event)
    return parsed.success ? read(parsed.data) : undefined
  }
}

const transcribed = (is: 'heard' | 'said') =>
  on(transcript, ({ delta, start_ms, end_ms }) => ({ is, delta, startMs: start_ms, endMs: Math.max(start_ms, end_ms) }))

const acknowledged = (kind: AppendKind) =>
  on(appended, ({ client_event_id: eventId }) => ({ is: 'appended', kind, eventId: eventId ?? undefined }))

const readers: ReadonlyMap<string, Read> = new Map([
  [
    'session.started',
    on(started, ({ session }) => ({
      is: 'started',
      id: session.id,
      model: session.model,
      expiresAtMs: session.expires_at === undefined ? undefined : session.expires_at * 1000,
    })),
  ],
  ['session.output_audio.delta', on(audio, ({ delta }) => samples(delta))],
  ['session.input_transcript.delta', transcribed('heard')],
  ['session.output_transcript.delta', transcribed('said')],
  ['session.instructions.appended', acknowledged('instructions')],
  ['session.thinking.appended', acknowledged('thinking')],
  ['session.commentary.appended', acknowledged('commentary')],
  ['session.delegation.created', on(delegation, ({ delegation: { id, target } }) => ({ is: 'delegated', id, target }))],
  ['response.event', on(nested, ({ event }) => ({ is: 'nested', event }))],
  ['session.usage.updated', on(usage, ({ usage: { seconds } }) => ({ is: 'usage', seconds }))],
  ['session.closed', on(closed, ({ reason, usage: used }) => ({ is: 'closed', reason, seconds: used?.seconds }))],
  [
    'error',
    on(problem, ({ error, client_event_id }) => ({
      is: 'error',
      code: error.code ?? error.type,
      message: error.message,
      eventId: error.client_event_id ?? client_event_id ?? undefined,
    })),
  ],
])

/** Whole samples only; nothing at all where it was no base64. */
function samples(delta: string): LiveEvent | undefined {
  const pcm = Buffer.from(delta, 'base64')
  return pcm.length < 2 ? undefined : { is: 'audio', pcm: pcm.subarray(0, pcm.length & ~1) }
}

function json(frame: Buffer): unknown {
  try {
    return JSON.parse(frame.toString('utf8'))
  } catch {
    return undefined
  }
}
