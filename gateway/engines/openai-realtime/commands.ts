// Intents and the brief in the words of the GA protocol. Pure: frames out, nothing sent.

import type { Capabilities, EngineBrief, EngineCommand, EngineTool } from '../engines.ts'

type Json = Readonly<Record<string, unknown>>

export type WireEvent = Readonly<Record<string, unknown>> & { readonly type: string }

const ownPrefix = 'event_parley_'

/** Marks a frame of the gateway's own, so that an error about it is kept from the client. */
export function ownEventId(name: string): string {
  return `${ownPrefix}${name}`
}

export function isOwn(eventId: string | null | undefined): boolean {
  return eventId?.startsWith(ownPrefix) === true
}

const answerPrefix = ownEventId('answer_')
const configureId = ownEventId('configure')

export function answerEventId(n: number): string {
  return `${answerPrefix}${n}`
}

/** An own frame whose failure is missed by somebody; the others were sent in case they are of use. */
export function isMissed(eventId: string): boolean {
  return eventId.startsWith(answerPrefix) || eventId === configureId
}

const pcm24k = { type: 'audio/pcm', rate: 24_000 } as const
/** Voices of the keyless demo mean nothing here; an agent that was tried on it must still speak. */
const demoVoices = new Set(['', 'slt', 'rms', 'awb', 'kal'])
const defaultVoice = 'marin'

export function sessionUpdate(
  brief: EngineBrief,
  transcriptionModel: string,
  media: Capabilities['media'] = 'relayed',
): WireEvent {
  return { type: 'session.update', event_id: configureId, session: sessionOf(brief, transcriptionModel, media) }
}

function sessionOf(brief: EngineBrief, transcriptionModel: string, media: Capabilities['media']): Json {
  const { settings = {} } = brief
  // Two peers agree on their own.
  const format = media === 'direct' ? {} : { format: pcm24k }
  return {
    type: 'realtime',
    instructions: brief.instructions,
    output_modalities: [brief.outputModality],
    tools: brief.tools.map(toolOf),
    tool_choice: settings.toolChoice ?? 'auto',
    ...(settings.maxOutputTokens === undefined ? {} : { max_output_tokens: settings.maxOutputTokens }),
    audio: {
      input: {
        ...format,
        transcription: transcriptionOf(brief, transcriptionModel),
        ...(settings.noiseReduction == null ? {} : { noise_reduction: { type: settings.noiseReduction } }),
        turn_detection: turnDetectionOf(brief),
      },
      output: {
        ...format,
        voice: voiceOf(brief.voice),
        ...(settings.speed === undefined ? {} : { speed: settings.speed }),
      },
    },
  }
}

/** What a call is created with. */
export function callSession(brief: EngineBrief, model: string, transcriptionModel: string): Json {
  return { ...sessionOf(brief, transcriptionModel, 'direct'), model }
}

interface Change {
  readonly fields: Extract<EngineCommand, { type: 'update' }>['fields']
  /** As it is with them: turn detection and transcription are replaced as a whole. */
  readonly brief: EngineBrief
  readonly transcriptionModel: string
  readonly eventId?: string | undefined
}

/** The `update` command: only what is given changes. */
export function sessionChange({ fields, brief, transcriptionModel, eventId }: Change): WireEvent {
  const { settings = {} } = fields
  const isHeardOtherwise = fields.turnDetection !== undefined || settings.turns !== undefined
  const input = {
    ...(isHeardOtherwise ? { turn_detection: turnDetectionOf(brief) } : {}),
    ...(settings.transcription === undefined ? {} : { transcription: transcriptionOf(brief, transcriptionModel) }),
    ...(settings.noiseReduction === undefined ? {} : { noise_reduction: noiseReductionOf(settings.noiseReduction) }),
  }
  const output = {
    ...(fields.voice === undefined ? {} : { voice: voiceOf(fields.voice) }),
    ...(settings.speed === undefined ? {} : { speed: settings.speed }),
  }
  const audio = {
    ...(Object.keys(input).length === 0 ? {} : { input }),
    ...(Object.keys(output).length === 0 ? {} : { output }),
  }
  return {
    type: 'session.update',
    ...(eventId === undefined ? {} : { event_id: eventId }),
    session: {
      type: 'realtime',
      ...(fields.instructions === undefined ? {} : { instructions: fields.instructions }),
      ...(fields.tools === undefined ? {} : { tools: fields.tools.map(toolOf) }),
      ...(fields.outputModality === undefined ? {} : { output_modalities: [fields.outputModality] }),
      ...(settings.toolChoice === undefined ? {} : { tool_choice: settings.toolChoice }),
      ...(settings.maxOutputTokens === undefined ? {} : { max_output_tokens: settings.maxOutputTokens }),
      ...(Object.keys(audio).length === 0 ? {} : { audio }),
    },
  }
}

export function historyItem(itemId: string, turn: EngineBrief['history'][number]): WireEvent {
  return turn.role === 'user'
    ? message(itemId, 'user', { type: 'input_text', text: turn.text })
    : message(itemId, 'assistant', { type: 'output_text', text: turn.text })
}

export function noteItem(itemId: string, text: string): WireEvent {
  return message(itemId, 'system', { type: 'input_text', text })
}

export function userText(command: Extract<EngineCommand, { type: 'userText' }>): WireEvent {
  if (command.raw === undefined) return message(command.itemId, 'user', { type: 'input_text', text: command.text })
  const item = isRecord(command.raw.item) ? command.raw.item : {}
  return { ...command.raw, type: 'conversation.item.create', item: { id: command.itemId, ...item } }
}

export function toolResult(command: Extract<EngineCommand, { type: 'toolResult' }>): WireEvent {
  if (command.raw !== undefined) return { ...command.raw, type: 'conversation.item.create' }
  return {
    type: 'conversation.item.create',
    item: { type: 'function_call_output', call_id: command.callId, output: command.output },
  }
}

export function cancelOwn(why: 'cancel' | 'interrupt'): WireEvent {
  return { type: 'response.cancel', event_id: ownEventId(why) }
}

export function removeItem(itemId: string): WireEvent {
  return { type: 'conversation.item.delete', event_id: ownEventId('remove'), item_id: itemId }
}

export function sayNow(text: string): WireEvent {
  return {
    type: 'response.create',
    response: {
      instructions: `Say exactly the following, word for word, and nothing before or after it: ${JSON.stringify(text)}`,
      tool_choice: 'none',
    },
  }
}

/** With nothing said yet it is an answer like any other. */
export function goOn(after: string, instructions: string): WireEvent {
  if (after === '') return { type: 'response.create' }
  const task =
    'Your last answer broke off in the middle. The person has heard it up to and including the words quoted below. Continue ' +
    'it with the very next word, in the same language and tone. Do not repeat any of it, do not greet, do not apologise and ' +
    `do not mention the interruption. If nothing is missing, say only what naturally ends it. Heard so far: ${JSON.stringify(after)}`
  return {
    type: 'response.create',
    response: { instructions: instructions === '' ? task : `${instructions}\n\n${task}` },
  }
}

/** The call is unknown to this session of the provider: its result is told as a fact. */
export function foreignResult(tool: string, output: string): string {
  return `The tool ${tool} was called for the person's last request and has answered: ${output}`
}

function message(id: string, role: string, content: Readonly<Record<string, string>>): WireEvent {
  return { type: 'conversation.item.create', item: { id, type: 'message', role, content: [content] } }
}

function toolOf(tool: EngineTool): Readonly<Record<string, unknown>> {
  return { type: 'function', name: tool.name, description: tool.description, parameters: tool.parameters }
}

/**
 * Each kind takes its own settings and refuses the other's. Where the session decides what is an interruption it also asks for
 * the answer: a nod is an end of speech too.
 */
function turnDetectionOf({ turnDetection: type, settings, interruptions }: EngineBrief): Json | null {
  if (type === 'none') return null
  const { createsResponse = true, interruptsResponse = true, ...turns } = settings?.turns ?? {}
  const isOurs = interruptions === 'told'
  const automatic = { create_response: !isOurs && createsResponse, interrupt_response: !isOurs && interruptsResponse }
  if (type === 'semantic_vad') return { type, ...automatic, ...some('eagerness', turns.eagerness) }
  return {
    type,
    ...automatic,
    ...some('threshold', turns.threshold),
    ...some('prefix_padding_ms', turns.prefixPaddingMs),
    ...some('silence_duration_ms', turns.silenceMs),
    ...some('idle_timeout_ms', turns.idleTimeoutMs),
  }
}

/** The agent's language is a hint unless another one is asked for; models of several languages are told by `languages`. */
function transcriptionOf({ language, settings }: EngineBrief, usualModel: string): Json {
  const { model = usualModel, ...own } = settings?.transcription ?? {}
  const code =
    own.language ?? (own.languages === undefined ? /^[a-z]{2,3}/i.exec(language)?.[0].toLowerCase() : undefined)
  return { model, ...own, ...some('language', code) }
}

function noiseReductionOf(type: 'near_field' | 'far_field' | null): Json | null {
  return type === null ? null : { type }
}

function some(name: string, value: unknown): Json {
  return value === undefined || value === null ? {} : { [name]: value }
}

function voiceOf(voice: string): string | { id: string } {
  if (demoVoices.has(voice)) return defaultVoice
  return voice.startsWith('voice_') ? { id: voice } : voice
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
