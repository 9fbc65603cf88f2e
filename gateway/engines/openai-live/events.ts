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
const audio = z.object({ delta: z.string().min(1), end_ms: z.number().optional().catch(undefined) })
const reflected = z.object({ audio: z.string().min(1) })
const anything = z.object({})
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
  /** `endMs`: its end in the session's own time, where that is told. */
  | { readonly is: 'audio'; readonly pcm: Buffer; readonly endMs?: number }
  /** Positions in the session's own time, approximate. */
  | { readonly is: 'heard' | 'said'; readonly delta: string; readonly startMs: number; readonly endMs: number }
  | { readonly is: 'appended'; readonly kind: AppendKind; readonly eventId: string | undefined }
  | { readonly is: 'delegated'; readonly id: string; readonly target: string }
  | { readonly is: 'nested'; readonly event: Readonly<Record<string, unknown>> & { readonly type: string } }
  | { readonly is: 'error'; readonly code: string; readonly message: string; readonly eventId: string | undefined }
  | { readonly is: 'other'; readonly name: string }
  | { readonly is: 'malformed'; readonly name: string }
  /** Of a sideband: what was sent may not have arrived. Told with its end, when it is known what did. */
  | { readonly is: 'gap'; readonly isOver: boolean }

/** What only the control of somebody else's session hears. */
type ReflectedEvent =
  /** What the person sends, before any mute. */
  { readonly is: 'reflected'; readonly pcm: Buffer } | { readonly is: 'muted'; readonly isMuted: boolean }

export type LiveEvent = StartedEvent | UsageEvent | ClosedEvent | VoiceEvent | ReflectedEvent

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
  ['session.output_audio.delta', on(audio, ({ delta, end_ms }) => spoken(samples(delta), end_ms))],
  ['session.input_audio.append', on(reflected, (event) => heard(samples(event.audio)))],
  ['session.input_audio.muted', on(anything, () => ({ is: 'muted', isMuted: true }))],
  ['session.input_audio.unmuted', on(anything, () => ({ is: 'muted', isMuted: false }))],
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
function samples(base64: string): Buffer | undefined {
  const pcm = Buffer.from(base64, 'base64')
  return pcm.length < 2 ? undefined : pcm.subarray(0, pcm.length & ~1)
}

function spoken(pcm: Buffer | undefined, endMs: number | undefined): LiveEvent | undefined {
  return pcm === undefined ? undefined : { is: 'audio', pcm, ...(endMs === undefined ? {} : { endMs }) }
}

function heard(pcm: Buffer | undefined): LiveEvent | undefined {
  return pcm === undefined ? undefined : { is: 'reflected', pcm }
}

const named = /"event_id"\s*:\s*"([^"\\]{1,128})"/

/** Every event but audio has one; it stands among the first fields. */
export function eventIdOf(frame: Buffer): string | undefined {
  return named.exec(frame.toString('latin1', 0, 256))?.[1]
}

function json(frame: Buffer): unknown {
  try {
    return JSON.parse(frame.toString('utf8'))
  } catch {
    return undefined
  }
}
