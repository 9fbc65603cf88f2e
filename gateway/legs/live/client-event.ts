// What a client may send on a Live session: every event of the original, strictly. What is wrong gets one typed error.

import { z } from 'zod'
import { type LiveError, liveError } from './live-error.ts'
import { sessionChange, sessionConfig } from './session-config.ts'

const eventId = { event_id: z.string().max(512).nullish() }
const append = { ...eventId, content: z.string().min(1).max(64_000), delegation_id: z.string().max(128).nullable() }

/** What of a Responses item has a meaning here; others are known and refused by type. */
const inputItem = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('message').optional(),
    role: z.enum(['user', 'developer', 'system', 'assistant']),
    content: z.union([
      z.string().max(64_000),
      z.array(z.looseObject({ type: z.string().max(64), text: z.string().max(64_000).optional() })).max(32),
    ]),
  }),
  z.looseObject({
    type: z.literal('function_call_output'),
    call_id: z.string().min(1).max(128),
    output: z.union([
      z.string().max(256 * 1024),
      z
        .array(
          z.looseObject({
            type: z.string().max(64),
            text: z
              .string()
              .max(256 * 1024)
              .optional(),
          }),
        )
        .max(32),
    ]),
  }),
])
export type InputItem = z.output<typeof inputItem>

export const clientEvent = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('session.start'), ...eventId, session: sessionConfig }),
  z.strictObject({ type: z.literal('session.update'), ...eventId, session: sessionChange }),
  z.strictObject({ type: z.literal('session.input_audio.append'), ...eventId, audio: z.base64() }),
  z.strictObject({ type: z.literal('session.input_audio.mute'), ...eventId }),
  z.strictObject({ type: z.literal('session.input_audio.unmute'), ...eventId }),
  z.strictObject({ type: z.literal('session.instructions.append'), ...append }),
  z.strictObject({ type: z.literal('session.thinking.append'), ...append }),
  z.strictObject({ type: z.literal('session.commentary.append'), ...append }),
  z.strictObject({ type: z.literal('session.output_audio.fixture.play'), ...eventId, audio: z.base64() }),
  z.strictObject({ type: z.literal('response.item.create'), ...eventId, item: inputItem }),
  z.strictObject({ type: z.literal('response.create'), ...eventId }),
  z.looseObject({ type: z.enum(['decision.create', 'decision.item.create', 'decision.item.delete']), ...eventId }),
  z.looseObject({ type: z.literal('transport.dtmf.send'), ...eventId }),
  z.strictObject({ type: z.literal('session.close'), ...eventId }),
])
export type ClientEvent = z.output<typeof clientEvent>
export type Event<T extends ClientEvent['type']> = Extract<ClientEvent, { type: T }>
export type Append = Event<'session.instructions.append' | 'session.thinking.append' | 'session.commentary.append'>

export type Parsed =
  | { readonly is: 'event'; readonly event: ClientEvent }
  | { readonly is: 'wrong'; readonly error: LiveError; readonly eventId: string | undefined }

const shape = z.looseObject({ type: z.string(), event_id: z.string().max(512).nullish().catch(undefined) })

export function parseClientEvent(frame: Buffer): Parsed {
  let json: unknown
  try {
    json = JSON.parse(frame.toString('utf8'))
  } catch {
    return { is: 'wrong', error: liveError('invalid_json', 'The frame is not JSON.'), eventId: undefined }
  }
  const named = shape.safeParse(json)
  if (!named.success) {
    const error = liveError('missing_required_parameter', "Missing required parameter: 'type'.", 'type')
    return { is: 'wrong', error, eventId: undefined }
  }
  const parsed = clientEvent.safeParse(json)
  if (parsed.success) return { is: 'event', event: parsed.data }
  return { is: 'wrong', error: wrong(parsed.error, named.data.type), eventId: named.data.event_id ?? undefined }
}

function wrong({ issues }: z.ZodError, type: string): LiveError {
  const issue = issues.map((each) => deepest(each)).find(({ code }) => code === 'unrecognized_keys') ?? issues[0]
  const found = issue === undefined ? undefined : deepest(issue)
  const path = found?.path.map(String) ?? []
  if (found?.code === 'unrecognized_keys') {
    const param = [...path, found.keys[0] ?? ''].join('.')
    return liveError('unknown_parameter', `Unknown parameter: '${param}'.`, param)
  }
  const param = path.join('.')
  if (found?.code === 'invalid_union' && param === 'type')
    return liveError('invalid_value', `Invalid value: '${type.slice(0, 64)}' is no client event.`, 'type')
  if (found?.code === 'invalid_type' && found.message.includes('received undefined'))
    return liveError('missing_required_parameter', `Missing required parameter: '${param}'.`, param)
  if (found?.code === 'invalid_format' && param === 'audio')
    return liveError('invalid_audio', 'The audio is not base64.', param)
  const code = found?.code === 'invalid_type' ? 'invalid_type' : 'invalid_value'
  return liveError(code, `Invalid value for '${param}': ${found?.message ?? 'unknown'}`, param)
}

/** Of a union the branch that came furthest says what is wrong. */
function deepest(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue
  const [branch] = issue.errors.toSorted((a, b) => (b[0]?.path.length ?? 0) - (a[0]?.path.length ?? 0))
  const [inner] = branch ?? []
  return inner === undefined ? issue : deepest({ ...inner, path: [...issue.path, ...inner.path] })
}

/** A client's plain append frame begins so; only then its audio is read without parsing the rest. */
export const appendHead = Buffer.from('{"type":"session.input_audio.append","audio":"')
