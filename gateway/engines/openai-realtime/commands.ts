// Intents and the brief in the words of the GA protocol. Pure: frames out, nothing sent.

import type { EngineBrief, EngineCommand, EngineTool, HearingSettings } from '../engines.ts'

export type WireEvent = Readonly<Record<string, unknown>> & { readonly type: string }

const ownPrefix = 'event_parley_'

/** Marks a frame of the gateway's own, so that an error about it is kept from the client. */
function ownEventId(name: string): string {
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

export function sessionUpdate(brief: EngineBrief, transcriptionModel: string): WireEvent {
  const language = /^[a-z]{2,3}/i.exec(brief.language)?.[0].toLowerCase()
  return {
    type: 'session.update',
    event_id: configureId,
    session: {
      type: 'realtime',
      instructions: brief.instructions,
      output_modalities: [brief.outputModality],
      tools: brief.tools.map(toolOf),
      tool_choice: 'auto',
      audio: {
        input: {
          format: pcm24k,
          transcription: { model: transcriptionModel, ...(language === undefined ? {} : { language }) },
          ...noiseReductionOf(brief.hearing),
          turn_detection: turnDetectionOf(brief.turnDetection, brief),
        },
        output: { format: pcm24k, voice: voiceOf(brief.voice) },
      },
    },
  }
}

/** The `update` command: only what is given changes. The brief fills in turn detection, which is replaced as a whole. */
export function sessionChange(
  fields: Extract<EngineCommand, { type: 'update' }>['fields'],
  eventId?: string,
  brief: Listening = {},
): WireEvent {
  const { turnDetection } = fields
  const input = turnDetection === undefined ? {} : { input: { turn_detection: turnDetectionOf(turnDetection, brief) } }
  const output = fields.voice === undefined ? {} : { output: { voice: voiceOf(fields.voice) } }
  const audio = { ...input, ...output }
  return {
    type: 'session.update',
    ...(eventId === undefined ? {} : { event_id: eventId }),
    session: {
      type: 'realtime',
      ...(fields.instructions === undefined ? {} : { instructions: fields.instructions }),
      ...(fields.tools === undefined ? {} : { tools: fields.tools.map(toolOf) }),
      ...(fields.outputModality === undefined ? {} : { output_modalities: [fields.outputModality] }),
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

type Listening = Pick<EngineBrief, 'hearing' | 'interruptions'>

/**
 * Each kind takes its own settings and refuses the other's. Where the session decides what is an interruption it also asks for
 * the answer: a nod is an end of speech too.
 */
function turnDetectionOf(
  kind: EngineBrief['turnDetection'],
  { hearing = {}, interruptions }: Listening,
): Readonly<Record<string, unknown>> | null {
  const { eagerness, silenceMs, threshold } = hearing
  const isOurs = interruptions === 'told'
  const automatic = { create_response: !isOurs, interrupt_response: !isOurs }
  if (kind === 'none') return null
  if (kind === 'semantic_vad') return { type: kind, ...(eagerness === undefined ? {} : { eagerness }), ...automatic }
  return {
    type: kind,
    ...(threshold === undefined ? {} : { threshold }),
    ...(silenceMs === undefined ? {} : { silence_duration_ms: Math.round(silenceMs) }),
    ...automatic,
  }
}

/** Servers of the beta days do not know the field: it is sent only where it is wanted. */
function noiseReductionOf({ noiseReduction }: HearingSettings = {}): Readonly<Record<string, unknown>> {
  return noiseReduction === undefined ? {} : { noise_reduction: { type: noiseReduction } }
}

function voiceOf(voice: string): string | { id: string } {
  if (demoVoices.has(voice)) return defaultVoice
  return voice.startsWith('voice_') ? { id: voice } : voice
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
