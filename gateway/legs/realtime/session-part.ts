// The words in which a change of the session is spoken of: what is there, what is wanted, who may have it.

import type { Brief } from '../../agents/agents.ts'
import type { Capabilities, EngineBrief, EngineSettings, EngineTool } from '../../engines/engines.ts'
import type { Refusal } from './refusal.ts'
import type { AudioFormatName, SessionFields } from './session-fields.ts'

export type Detection = EngineBrief['turnDetection']

/** The session as this client has it now. */
export interface Present {
  /** Of the client; the tenant's own are not told. */
  readonly instructions: string | undefined
  readonly tools: readonly EngineTool[]
  readonly voice: string
  readonly modality: 'audio' | 'text'
  readonly detection: Detection
  readonly settings: EngineSettings
  /** Settings that only an engine of the client's own protocol has, in its words. */
  readonly native: Readonly<Record<string, unknown>>
}

export interface Wanted {
  readonly instructions?: string
  readonly voice?: string
  readonly tools?: readonly EngineTool[]
  readonly outputModality?: 'audio' | 'text'
  readonly turnDetection?: Detection
  readonly settings?: EngineSettings
}

/** What the leg itself does for its client. */
export interface LegWanted {
  readonly inputFormat?: AudioFormatName
  readonly outputFormat?: AudioFormatName
  /** Whether the client is told what the person said. */
  readonly transcripts?: boolean
}

export type Right = Brief['mutable'][number]

export interface Policy {
  readonly brief: Pick<Brief, 'mutable' | 'clientTools'>
  readonly capabilities: Pick<Capabilities, 'mutable' | 'settings' | 'dialect'>
}

/** One thing that differs from the present. */
export interface Part {
  readonly param: string
  /** Who may set this may set the part. */
  readonly right: Right
  readonly can: boolean
  /** Left as it is for a client without the right: stock clients send it whether they care or not. */
  readonly harmless?: boolean
  readonly fields?: Wanted
  readonly native?: Readonly<Record<string, unknown>>
}

export function mayOf(brief: Policy['brief'], right: Right): boolean {
  return brief.mutable.includes(right) && (right !== 'tools' || brief.clientTools)
}

export function forbiddenBy(param: string): Refusal {
  return { code: 'forbidden', message: `The agent's configuration does not let this client set ${param}.`, param }
}

export function unsupported(message: string, param: string): Refusal {
  return { code: 'unsupported_value', message, param }
}

/** Of the settings in the provider's own words. */
export const nativeDefaults = { parallel_tool_calls: true, reasoning: null, truncation: 'auto', include: null } as const

export function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

type FunctionTool = Extract<NonNullable<SessionFields['tools']>[number], { type: 'function' }>

export function toTool(tool: FunctionTool): EngineTool {
  return {
    name: tool.name,
    description: tool.description ?? '',
    parameters: tool.parameters ?? { type: 'object', properties: {} },
  }
}
