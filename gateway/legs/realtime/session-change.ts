// What a `session.update` asks for, and whether this client may have it. Clients repeat their whole configuration with
// every update: what equals the present or makes no difference passes, what the agent's config forbids is refused. Pure.

import type { Brief } from '../../agents/agents.ts'
import type { Capabilities, EngineBrief, EngineTool } from '../../engines/engines.ts'
import type { SessionUpdate } from './client-event.ts'
import type { Refusal } from './refusal.ts'

export type Detection = EngineBrief['turnDetection']

/** The session as this client has it now. */
export interface Present {
  /** Of the client; the tenant's own are not told. */
  readonly instructions: string | undefined
  readonly tools: readonly EngineTool[]
  readonly voice: string
  readonly modality: 'audio' | 'text'
  readonly detection: Detection
}

export interface Wanted {
  readonly instructions?: string
  readonly voice?: string
  readonly tools?: readonly EngineTool[]
  readonly outputModality?: 'audio' | 'text'
  readonly turnDetection?: Detection
}

export type Change = { readonly is: 'wanted'; readonly fields: Wanted } | ({ readonly is: 'refused' } & Refusal)

export interface Policy {
  readonly brief: Pick<Brief, 'mutable' | 'clientTools'>
  readonly capabilities: Pick<Capabilities, 'mutable'>
}

const paramOf: Readonly<Record<keyof Wanted, string>> = {
  instructions: 'session.instructions',
  voice: 'session.audio.output.voice',
  tools: 'session.tools',
  outputModality: 'session.output_modalities',
  turnDetection: 'session.audio.input.turn_detection',
}

export function changeOf(update: SessionUpdate, present: Present, { brief, capabilities }: Policy): Change {
  const impossible = impossibleOf(update)
  if (impossible !== undefined) return { is: 'refused', ...impossible }
  const may = (field: keyof Wanted): boolean =>
    brief.mutable.includes(field) && (field !== 'tools' || brief.clientTools)
  const fields = differences(update, present, { can: (field) => capabilities.mutable.includes(field), may })
  for (const field of Object.keys(paramOf).filter(isField)) {
    if (fields[field] === undefined || may(field)) continue
    const param = paramOf[field]
    return {
      is: 'refused',
      code: 'forbidden',
      message: `The agent's configuration does not let this client set ${param}.`,
      param,
    }
  }
  return { is: 'wanted', fields }
}

function isField(name: string): name is keyof Wanted {
  return name in paramOf
}

function impossibleOf(update: SessionUpdate): Refusal | undefined {
  if (update.type === 'transcription') return unsupported('Transcription sessions are not served here.', 'session.type')
  for (const side of ['input', 'output'] as const) {
    const format = update.audio?.[side]?.format
    if (format !== undefined && (format.type !== 'audio/pcm' || (format.rate ?? 24_000) !== 24_000))
      return unsupported('Audio is audio/pcm at 24000 Hz.', `session.audio.${side}.format`)
  }
  // The gateway asks for the answer after its own tools by itself: told to call again, the model would never get there.
  if (update.tool_choice === 'required' || typeof update.tool_choice === 'object')
    return unsupported('Force a tool with response.create, not for the session.', 'session.tool_choice')
  const detection = update.audio?.input?.turn_detection
  for (const field of ['create_response', 'interrupt_response'] as const) {
    if (detection?.[field] === false) {
      const message = 'Turn detection answers and interrupts by itself here; null switches it off.'
      return unsupported(message, `session.audio.input.turn_detection.${field}`)
    }
  }
  return undefined
}

function unsupported(message: string, param: string): Refusal {
  return { code: 'unsupported_value', message, param }
}

function differences(
  update: SessionUpdate,
  present: Present,
  { can, may }: { can(field: keyof Wanted): boolean; may(field: keyof Wanted): boolean },
): Wanted {
  const { instructions } = update
  const voice = update.audio?.output?.voice
  const modality = update.output_modalities?.[0]
  const tools = update.tools?.map(toTool)
  const detection = detectionOf(update)
  // Which of two detectors hears the end of speech is no matter of rights; whether one does is.
  const sameKind = detection !== undefined && detection !== 'none' && present.detection !== 'none'
  const turns = detection === present.detection || (sameKind && !may('turnDetection')) ? undefined : detection
  return {
    ...(instructions === undefined || instructions === (present.instructions ?? '') ? {} : { instructions }),
    ...(typeof voice !== 'string' || voice === present.voice || !can('voice') ? {} : { voice }),
    ...(tools === undefined || (tools.length === 0 && present.tools.length === 0) ? {} : { tools }),
    ...(modality === undefined || modality === present.modality ? {} : { outputModality: modality }),
    ...(turns === undefined || !can('turnDetection') ? {} : { turnDetection: turns }),
  }
}

function detectionOf(update: SessionUpdate): Detection | undefined {
  const detection = update.audio?.input?.turn_detection
  if (detection === undefined) return undefined
  return detection === null ? 'none' : detection.type
}

function toTool(tool: NonNullable<SessionUpdate['tools']>[number]): EngineTool {
  return {
    name: tool.name,
    description: tool.description ?? '',
    parameters: tool.parameters ?? { type: 'object', properties: {} },
  }
}

/** Settings of the model that are the engine's own affair: forwarded to one of the same protocol, without effect elsewhere. */
export function engineSettings(update: SessionUpdate): Readonly<Record<string, unknown>> {
  const { tool_choice, max_output_tokens, parallel_tool_calls, reasoning } = update
  const given = Object.entries({ tool_choice, max_output_tokens, parallel_tool_calls, reasoning })
  return Object.fromEntries(given.filter(([, value]) => value !== undefined))
}
