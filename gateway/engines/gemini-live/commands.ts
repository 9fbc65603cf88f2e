// Intents and the brief in the words of the wire. Pure: frames out, nothing sent. Every frame has exactly one top-level key.

import type { EngineBrief, EngineTool } from '../engines.ts'
import { voiceOf } from './models.ts'
import { parametersOf } from './schema.ts'

export type Frame = Readonly<Record<string, unknown>>

export interface SetupFacts {
  readonly model: string
  /** Of a session that ended on another connection: the provider remembers its conversation. */
  readonly handle: string | undefined
  /** The provider decides when speech begins and ends; otherwise we tell it. */
  readonly detects: boolean
  /** The conversation so far is told before it goes on. */
  readonly seeded: boolean
}

/**
 * Without it a session ends after 15 minutes of audio. Every turn pays for the whole context anew, so it is kept to a quarter
 * of what the model could hold: at 32 tokens a second, 8 to 16 minutes of talk.
 */
const compression = { triggerTokens: '32000', slidingWindow: { targetTokens: '16000' } }

/**
 * Sound is all that today's models answer with, so writing is their transcript. Voice and tools are what the brief asks
 * for; nothing else is set, since models refuse what they do not know (`thinkingLevel`, `proactivity`, language codes).
 */
export function setup(brief: EngineBrief, facts: SetupFacts): Frame {
  const { model, handle, detects, seeded } = facts
  const name = model.startsWith('models/') ? model : `models/${model}`
  const { toolChoice, maxOutputTokens = 'inf' } = brief.settings ?? {}
  const limit = maxOutputTokens === 'inf' ? {} : { maxOutputTokens }
  const tools = toolChoice === 'none' ? [] : brief.tools
  const voiceConfig = { prebuiltVoiceConfig: { voiceName: voiceOf(brief.voice) } }
  return {
    setup: {
      model: name,
      generationConfig: { responseModalities: ['AUDIO'], speechConfig: { voiceConfig }, ...limit },
      ...(brief.instructions === '' ? {} : { systemInstruction: { parts: [{ text: brief.instructions }] } }),
      ...(tools.length === 0 ? {} : { tools: [{ functionDeclarations: tools.map(declaration) }] }),
      realtimeInputConfig: { automaticActivityDetection: { disabled: !detects } },
      sessionResumption: handle === undefined ? {} : { handle },
      contextWindowCompression: compression,
      inputAudioTranscription: {},
      outputAudioTranscription: {},
      ...(seeded ? { historyConfig: { initialHistoryInClientContent: true } } : {}),
    },
  }
}

function declaration(tool: EngineTool): Frame {
  const parameters = parametersOf(tool.parameters)
  return {
    name: tool.name,
    description: tool.description,
    ...(parameters === undefined ? {} : { parameters }),
  }
}

/** The first content of a seeded session: it ends with the complete turn, and nothing is answered. */
export function history(turns: EngineBrief['history']): Frame {
  const contents = turns.map(({ role, text }) => content(role === 'user' ? 'user' : 'model', text))
  return { clientContent: { turns: contents, turnComplete: true } }
}

/** With `ask` the model answers now, and stops whatever it is saying. */
export function contents(texts: readonly string[], ask: boolean): Frame {
  const turns = texts.length === 0 ? {} : { turns: texts.map((text) => content('user', text)) }
  return { clientContent: { ...turns, turnComplete: ask } }
}

function content(role: 'user' | 'model', text: string): Frame {
  return { role, parts: [{ text }] }
}

const audioHead = '{"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate=16000","data":"'

/** Sent fifty times a second: written by hand. */
export function audio(pcm16k: Buffer): string {
  return `${audioHead}${pcm16k.toString('base64')}"}}}`
}

export const activityStart: Frame = { realtimeInput: { activityStart: {} } }
export const activityEnd: Frame = { realtimeInput: { activityEnd: {} } }
/** The microphone is off: what was heard so far is taken as all. Only where the provider detects. */
export const audioStreamEnd: Frame = { realtimeInput: { audioStreamEnd: true } }

export interface CallResult {
  readonly id: string | undefined
  readonly name: string
  readonly output: string
}

/** `scheduling` only where tools run beside the conversation. The answer follows by itself unless it is silent. */
export function toolResponse(results: readonly CallResult[], scheduling: 'INTERRUPT' | 'SILENT' | undefined): Frame {
  const functionResponses = results.map(({ id, name, output }) => ({
    ...(id === undefined ? {} : { id }),
    name,
    response: { output: jsonOr(output) },
    ...(scheduling === undefined ? {} : { scheduling }),
  }))
  return { toolResponse: { functionResponses } }
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The wire has no place for anybody else's words than the person's and the model's. */
export function noteText(text: string): string {
  return `[For your information, not said by the person, and not to be answered: ${text}]`
}

export function sayText(text: string): string {
  return `[Say exactly the following, word for word, and nothing before or after it: ${JSON.stringify(text)}]`
}

/** With nothing said yet it is an answer like any other. */
export function goOnText(after: string): string {
  if (after === '') return '[Answer now what the person said last.]'
  return (
    '[Your last answer broke off in the middle. The person has heard it up to and including the words quoted below. Continue ' +
    'it with the very next word, in the same language and tone. Do not repeat any of it, do not greet, do not apologise and ' +
    `do not mention the interruption. If nothing is missing, say only what naturally ends it. Heard so far: ${JSON.stringify(after)}]`
  )
}

/** The provider keeps what it sent, the person knows what was played. */
export function heardText(words: string): string {
  const heard = words === '' ? 'nothing of it' : `only this: ${JSON.stringify(words)}`
  return noteText(`the person cut in on an answer of yours and has heard ${heard}`)
}

/** The call is unknown to this session of the provider, or was cancelled by it: its result is told as a fact. */
export function foreignText(tool: string, output: string): string {
  return noteText(`The tool ${tool} was called for the person's last request and has answered: ${output}`)
}
