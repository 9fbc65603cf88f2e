// What servers of OpenAI's HTTP take, as strictly as the strictest of them: unknown fields, calls without outputs, empty lists of
// tools and roles out of turn are refused with 400.

import { z } from 'zod'

export interface WireError {
  readonly status: number
  readonly error: {
    readonly type: string
    readonly code: string
    readonly message: string
    readonly param: string | null
  }
}

const functionCall = z.strictObject({
  id: z.string().min(1),
  type: z.literal('function'),
  function: z.strictObject({ name: z.string().min(1), arguments: z.string() }),
  extra_content: z.unknown().optional(),
})
const message = z.discriminatedUnion('role', [
  z.strictObject({ role: z.literal('system'), content: z.string().min(1) }),
  z.strictObject({ role: z.literal('user'), content: z.string().min(1) }),
  z.strictObject({
    role: z.literal('assistant'),
    content: z.string().min(1).nullable(),
    reasoning_content: z.string().optional(),
    tool_calls: z.array(functionCall).min(1).optional(),
  }),
  z.strictObject({ role: z.literal('tool'), tool_call_id: z.string().min(1), content: z.string() }),
])
export type ChatMessage = z.output<typeof message>

const chatBody = z.strictObject({
  model: z.string().min(1),
  messages: z.array(message).min(1),
  stream: z.literal(true),
  stream_options: z.strictObject({ include_usage: z.boolean() }).optional(),
  tools: z
    .array(
      z.strictObject({
        type: z.literal('function'),
        function: z.strictObject({
          name: z.string().regex(/^[\w-]{1,64}$/),
          description: z.string(),
          parameters: z.looseObject({ type: z.literal('object') }),
        }),
      }),
    )
    .min(1)
    .optional(),
  tool_choice: z.enum(['auto', 'none', 'required']).optional(),
  reasoning_effort: z.enum(['none', 'minimal', 'low', 'medium', 'high']).optional(),
  temperature: z.number().min(0).max(2).optional(),
  max_tokens: z.int().positive().optional(),
  max_completion_tokens: z.int().positive().optional(),
})
export type ChatBody = z.output<typeof chatBody>

const speechBody = z.strictObject({
  model: z.string().min(1),
  input: z.string().min(1).max(4_096),
  voice: z.string().min(1),
  response_format: z.enum(['mp3', 'opus', 'aac', 'flac', 'wav', 'pcm']).optional(),
  speed: z.number().min(0.25).max(4).optional(),
  instructions: z.string().optional(),
})
export type SpeechBody = z.output<typeof speechBody>

const formFields = new Set(['file', 'model', 'language', 'response_format', 'prompt', 'temperature'])

export interface Form {
  readonly model: string
  readonly language: string | undefined
  readonly responseFormat: string
  readonly wav: Buffer
}

export function readChat(raw: unknown, refuses: ReadonlySet<string>): ChatBody | WireError {
  const unknown = refusedField(raw, refuses)
  if (unknown !== undefined) return unknown
  const parsed = chatBody.safeParse(raw)
  if (!parsed.success) return invalid(parsed.error)
  const body = parsed.data
  if (body.tool_choice !== undefined && body.tools === undefined) {
    return bad('tool_choice', "'tool_choice' is only allowed when 'tools' are specified.")
  }
  const order = outOfOrder(body.messages)
  return order === undefined ? body : bad('messages', order)
}

export function readSpeech(raw: unknown, refuses: ReadonlySet<string>): SpeechBody | WireError {
  const unknown = refusedField(raw, refuses)
  if (unknown !== undefined) return unknown
  const parsed = speechBody.safeParse(raw)
  return parsed.success ? parsed.data : invalid(parsed.error)
}

/** The body as it came, boundary and all. */
export async function readForm(
  body: Buffer,
  contentType: string,
  refuses: ReadonlySet<string>,
): Promise<Form | WireError> {
  if (!contentType.startsWith('multipart/form-data; boundary=')) return bad('file', 'Expected multipart/form-data')
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData()
  for (const name of form.keys()) {
    if (!formFields.has(name) || refuses.has(name)) return bad(name, `Unrecognized request argument supplied: ${name}`)
  }
  const file = form.get('file')
  if (!(file instanceof File) || !/\.(wav|flac|mp3|m4a|ogg|webm)$/.test(file.name))
    return bad('file', 'Invalid file format.')
  const wav = Buffer.from(await file.arrayBuffer())
  if (wav.toString('latin1', 0, 4) !== 'RIFF' || wav.length < 44 + 4_800)
    return bad('file', 'Audio file is too short or corrupted.')
  const model = form.get('model')
  if (typeof model !== 'string' || model === '') return bad('model', 'you must provide a model parameter')
  const language = form.get('language')
  if (language !== null && !/^[a-z]{2}$/.test(String(language)))
    return bad('language', `Invalid language '${String(language)}'.`)
  const responseFormat = String(form.get('response_format') ?? 'json')
  return { model, language: language === null ? undefined : String(language), responseFormat, wav }
}

/** The templates of many open models accept nothing else. */
function outOfOrder(messages: readonly ChatMessage[]): string | undefined {
  const pending = new Set<string>()
  let last = 'system'
  for (const [i, each] of messages.entries()) {
    if (each.role === 'tool') {
      if (!pending.delete(each.tool_call_id))
        return `Invalid 'messages[${i}]': no call awaits the output ${each.tool_call_id}.`
    } else if (pending.size > 0)
      return "An assistant message with 'tool_calls' must be followed by tool messages for each of them."
    if (each.role === 'system' && i > 0) return 'System message must be at the beginning.'
    if (each.role === 'user' && last === 'user')
      return 'Conversation roles must alternate user/assistant/user/assistant/...'
    if (each.role === 'assistant' && (last === 'assistant' || last === 'system')) {
      return 'Conversation roles must alternate user/assistant/user/assistant/...'
    }
    if (each.role === 'assistant') {
      if (each.content === null && each.tool_calls === undefined)
        return `Invalid 'messages[${i}].content': expected a string, got null.`
      for (const call of each.tool_calls ?? []) {
        if (pending.has(call.id)) return `Duplicate tool call id ${call.id}.`
        pending.add(call.id)
        JSON.parse(call.function.arguments)
      }
    }
    last = each.role
  }
  if (pending.size > 0) return `No tool output found for function call ${[...pending].join(', ')}.`
  return last === 'user' || last === 'tool' ? undefined : 'The conversation must end with a user message.'
}

function refusedField(raw: unknown, refuses: ReadonlySet<string>): WireError | undefined {
  const fields = typeof raw === 'object' && raw !== null ? Object.entries(raw) : []
  const [name] = [...refuses].flatMap(
    (each) => fields.find(([field, value]) => field === each || `${field}=${String(value)}` === each) ?? [],
  )
  return typeof name === 'string' ? bad(name, `Unsupported parameter: '${name}'.`, 'unsupported_parameter') : undefined
}

function bad(param: string, message: string, code = 'invalid_value'): WireError {
  return { status: 400, error: { type: 'invalid_request_error', code, message, param } }
}

function invalid(error: z.ZodError): WireError {
  const issue = error.issues[0]
  const keys = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
  const param = [...(issue?.path ?? []), ...keys].join('.')
  return bad(param, `Unknown or invalid parameter: '${param}': ${issue?.message ?? ''}`, 'unknown_parameter')
}
