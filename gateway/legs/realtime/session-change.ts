// What a `session.update` asks for, and whether this client may have it. Clients repeat their whole configuration with
// every update: what equals the present or makes no difference passes, what the agent's config forbids or the engine cannot
// do is refused, together with everything beside it. Pure.

import type { EngineSettings } from '../../engines/engines.ts'
import { type Listening, listeningParts } from './listening-change.ts'
import type { Refusal } from './refusal.ts'
import type { SessionFields } from './session-fields.ts'
import {
  forbiddenBy,
  isSame,
  type LegWanted,
  mayOf,
  nativeDefaults,
  type Part,
  type Policy,
  type Present,
  type Right,
  toTool,
  unsupported,
  type Wanted,
} from './session-part.ts'

export type Change =
  | {
      readonly is: 'wanted'
      readonly fields: Wanted
      readonly native: Readonly<Record<string, unknown>>
      readonly leg: LegWanted
    }
  | ({ readonly is: 'refused' } & Refusal)

export function changeOf(update: SessionFields, present: Present, policy: Policy): Change {
  const impossible = impossibleOf(update)
  if (impossible !== undefined) return { is: 'refused', ...impossible }
  const listening = listeningParts(update, present, policy)
  const parts = [...ownParts(update, present, policy), ...modelParts(update, present, policy), ...listening.parts]
  const may = (right: Right): boolean => mayOf(policy.brief, right)
  const forbidden = parts.find((part) => !may(part.right) && part.harmless !== true)
  if (forbidden !== undefined) return { is: 'refused', ...forbiddenBy(forbidden.param) }
  const wanted = parts.filter(({ right }) => may(right))
  const unable = wanted.find(({ can }) => !can)
  if (unable !== undefined) {
    return { is: 'refused', ...unsupported(`This agent's engine cannot set ${unable.param} so.`, unable.param) }
  }
  return joined(wanted, listening, update)
}

function joined(parts: readonly Part[], { leg, turnsOf }: Listening, update: SessionFields): Change {
  const settings = Object.assign({}, ...parts.map(({ fields }) => fields?.settings)) as EngineSettings
  const turns = turnsOf(parts)
  const all = turns === undefined ? settings : { ...settings, turns }
  const fields: Wanted = Object.assign({}, ...parts.map(({ fields }) => fields))
  const { input, output } = update.audio ?? {}
  return {
    is: 'wanted',
    fields: withoutEmpty({ ...fields, settings: all }),
    native: Object.assign({}, ...parts.map(({ native }) => native)) as Readonly<Record<string, unknown>>,
    leg: {
      ...leg,
      ...(input?.format === undefined ? {} : { inputFormat: input.format.type }),
      ...(output?.format === undefined ? {} : { outputFormat: output.format.type }),
    },
  }
}

function withoutEmpty(fields: Wanted): Wanted {
  const { settings, ...rest } = fields
  return settings === undefined || Object.keys(settings).length === 0 ? rest : fields
}

function impossibleOf(update: SessionFields): Refusal | undefined {
  if (update.type === 'transcription') return unsupported('Transcription sessions are not served here.', 'session.type')
  for (const side of ['input', 'output'] as const) {
    const format = update.audio?.[side]?.format
    if (format?.type === 'audio/pcm' && (format.rate ?? 24_000) !== 24_000)
      return unsupported('audio/pcm is at 24000 Hz.', `session.audio.${side}.format.rate`)
  }
  if ((update.audio?.input?.noise_reduction?.strength ?? 1) !== 1)
    return unsupported('Noise reduction is on or off here.', 'session.audio.input.noise_reduction.strength')
  if (update.tools?.some(({ type }) => type === 'mcp') === true)
    return unsupported('Tools of a server are given to the agent, not by its client.', 'session.tools')
  if (update.prompt !== undefined && update.prompt !== null)
    return unsupported('The prompt is the agent’s: use instructions.', 'session.prompt')
  // The gateway asks for the answer after its own tools by itself: told to call again, the model would never get there.
  if (update.tool_choice === 'required' || typeof update.tool_choice === 'object')
    return unsupported('Force a tool with response.create, not for the session.', 'session.tool_choice')
  return undefined
}

/** The fields of the brief. */
function ownParts(update: SessionFields, present: Present, { capabilities }: Policy): Part[] {
  const { instructions } = update
  const modality = update.output_modalities?.[0]
  const given = update.audio?.output?.voice
  const voice = typeof given === 'object' ? given.id : given
  const tools = update.tools?.flatMap((tool) => (tool.type === 'function' ? [toTool(tool)] : []))
  const can = (field: Right): boolean => capabilities.mutable.includes(field)
  const parts: Part[] = []
  if (instructions !== undefined && instructions !== (present.instructions ?? ''))
    // Where no model is there to follow them they are kept for the engine that may stand in.
    parts.push({ param: 'session.instructions', right: 'instructions', can: true, fields: { instructions } })
  if (voice !== undefined && voice !== present.voice)
    parts.push({ param: 'session.audio.output.voice', right: 'voice', can: can('voice'), fields: { voice } })
  if (tools !== undefined && !isSame(tools, present.tools))
    parts.push({ param: 'session.tools', right: 'tools', can: can('tools'), fields: { tools } })
  if (modality !== undefined && modality !== present.modality) {
    const param = 'session.output_modalities'
    parts.push({ param, right: 'outputModality', can: true, fields: { outputModality: modality } })
  }
  return parts
}

/** Settings of the model: in the port's words where several engines have them, in the provider's where one does. */
function modelParts(update: SessionFields, present: Present, { capabilities }: Policy): Part[] {
  const { tool_choice: toolChoice, max_output_tokens: maxOutputTokens } = update
  const speed = update.audio?.output?.speed
  const can = (setting: keyof EngineSettings): boolean =>
    capabilities.settings?.some((each) => each === setting) === true
  const { settings } = present
  const parts: Part[] = []
  if ((toolChoice === 'auto' || toolChoice === 'none') && toolChoice !== (settings.toolChoice ?? 'auto')) {
    const fields = { settings: { toolChoice } }
    parts.push({ param: 'session.tool_choice', right: 'tools', can: can('toolChoice'), fields })
  }
  if (maxOutputTokens !== undefined && maxOutputTokens !== (settings.maxOutputTokens ?? 'inf')) {
    const fields = { settings: { maxOutputTokens } }
    parts.push({ param: 'session.max_output_tokens', right: 'instructions', can: can('maxOutputTokens'), fields })
  }
  if (speed !== undefined && speed !== (settings.speed ?? 1))
    parts.push({
      param: 'session.audio.output.speed',
      right: 'voice',
      can: can('speed'),
      fields: { settings: { speed } },
    })
  return [...parts, ...nativeParts(update, present, capabilities.dialect === 'openai-realtime-ga')]
}

function nativeParts(update: SessionFields, present: Present, can: boolean): Part[] {
  const rights = { parallel_tool_calls: 'tools', include: 'turnDetection' } as const
  return (['parallel_tool_calls', 'reasoning', 'truncation', 'include'] as const).flatMap((name): Part[] => {
    const value = update[name]
    const now = present.native[name] ?? nativeDefaults[name]
    const isNone = value === null || (Array.isArray(value) && value.length === 0)
    if (value === undefined || isSame(value, now) || (isNone && now === null)) return []
    const right = name === 'parallel_tool_calls' || name === 'include' ? rights[name] : 'instructions'
    return [{ param: `session.${name}`, right, can, native: { [name]: value } }]
  })
}
