// Intents in the words of GPT-Live. Pure: frames out, nothing sent. Unknown fields are refused by the provider, so none are sent.

import type { EngineBrief, EngineTool } from '../engines.ts'
import type { Conversation, Line } from './conversation.ts'
import { clipped } from './tokens.ts'

export type WireEvent = Readonly<Record<string, unknown>> & { readonly type: string }
export type AppendKind = 'instructions' | 'thinking' | 'commentary'

/** Of the provider: 500 tokens for each appended text, 16,384 for the instructions of a session. */
export const appendTokens = 480
const instructionTokens = 15_500

/** Voices of the keyless demo mean nothing here; an agent that was tried on it must still speak. */
const demoVoices = new Set(['', 'slt', 'rms', 'awb', 'kal'])
const defaultVoice = 'marin'

export interface StartFacts {
  readonly model: string
  readonly brief: EngineBrief
  readonly conversation: Pick<Conversation, 'seed'>
  /** The backend at the provider; undefined: work is delegated to us. */
  readonly backendModel: string | undefined
}

export function sessionStart(facts: StartFacts): WireEvent {
  return { type: 'session.start', event_id: 'event_parley_start', session: sessionOf(facts) }
}

function sessionOf({ model, brief, conversation, backendModel }: StartFacts) {
  const input = conversation.seed.map(seedItem)
  return {
    model,
    instructions: voiceInstructions(brief),
    ...(input.length === 0 ? {} : { input }),
    audio: { format: { type: 'audio/pcm', rate: 24_000 }, output: { voice: voiceOf(brief.voice) } },
    delegation:
      backendModel === undefined
        ? { type: 'client' }
        : { type: 'responses', responses: { model: backendModel, ...backendSettings(brief) } },
    store: false,
  }
}

/** What a page may hear of its own call: the words that were said, and whether it is muted. No configuration, no work. */
const heardByPages = [
  'session.input_transcript.delta',
  'session.output_transcript.delta',
  'session.input_audio.muted',
  'session.input_audio.unmuted',
]

/** A session whose sound a browser has with the provider. Left out, its data channel would have every right. */
export function callSession(facts: StartFacts): Readonly<Record<string, unknown>> {
  const { audio, ...session } = sessionOf(facts)
  return {
    ...session,
    audio: { output: audio.output },
    client: {
      data_channel: {
        allowed_client_events: ['session.input_audio.mute', 'session.input_audio.unmute'],
        allowed_server_events: heardByPages.map((type) => ({ type })),
      },
    },
  }
}

/** The delegation's type cannot change, its settings can. Only with a backend at the provider. */
export function backendChange(brief: EngineBrief): WireEvent {
  const delegation = { type: 'responses', responses: backendSettings(brief) }
  return { type: 'session.update', event_id: 'event_parley_update', session: { delegation } }
}

function backendSettings(brief: EngineBrief): Readonly<Record<string, unknown>> {
  return { instructions: backendInstructions(brief), tools: brief.tools.map(toolOf), tool_choice: 'auto' }
}

function seedItem({ role, text }: Line): Readonly<Record<string, unknown>> {
  const isAgent = role === 'agent'
  return {
    type: 'message',
    role: isAgent ? 'assistant' : role === 'note' ? 'developer' : 'user',
    content: [{ type: isAgent ? 'output_text' : 'input_text', text }],
  }
}

function toolOf({ name, description, parameters }: EngineTool): Readonly<Record<string, unknown>> {
  return { type: 'function', name, description, parameters }
}

function voiceOf(voice: string): string | { readonly id: string } {
  if (demoVoices.has(voice)) return defaultVoice
  return voice.startsWith('voice_') ? { id: voice } : voice
}

function voiceInstructions({ instructions, language }: EngineBrief): string {
  const policy =
    `Speak the language with the tag "${language}" unless the person speaks another. You are the voice of this conversation ` +
    'and have no tools: whenever something must be looked up, checked, calculated or done, delegate it, and say at most a few ' +
    'words until the result is there. Results reach you as commentary: tell them faithfully, and add nothing to them.'
  return `${clipped(instructions, instructionTokens)}\n\n${policy}`.trim()
}

/** For the text model behind the voice, wherever it runs. */
export function backendInstructions({ instructions }: Pick<EngineBrief, 'instructions'>): string {
  const policy =
    'You work behind a voice that talks with the person. Do what was asked last, with your tools where they help, and answer ' +
    'in a few plain sentences that can be spoken. The voice tells them to the person; do not greet.'
  return `${instructions}\n\n${policy}`.trim()
}

export function append(
  kind: AppendKind,
  content: string,
  more: { eventId: string; delegationId: string | null },
): WireEvent {
  return { type: `session.${kind}.append`, event_id: more.eventId, content, delegation_id: more.delegationId }
}

export function userItem(text: string): WireEvent {
  const item = { type: 'message', role: 'user', content: [{ type: 'input_text', text }] }
  return { type: 'response.item.create', item }
}

export function callOutput(callId: string, output: string): WireEvent {
  return { type: 'response.item.create', item: { type: 'function_call_output', call_id: callId, output } }
}

export function sayExactly(text: string): string {
  return `Say exactly the following, word for word, and nothing before or after it: ${JSON.stringify(text)}`
}

/** With nothing said yet it is an answer like any other. */
export function goOn(after: string): string {
  if (after === '') return 'Answer what the person said last, now.'
  // Of a long answer the last words are enough to find the place.
  const heard = JSON.stringify(after.length > 600 ? after.slice(-600) : after)
  return (
    'Your last answer broke off in the middle. The person has heard it up to and including the words quoted below. Continue ' +
    'it with the very next word, in the same language and tone. Do not repeat any of it, do not greet, do not apologise and ' +
    `do not mention the interruption. If nothing is missing, say nothing. Heard so far: ${heard}`
  )
}

export const stopSpeaking =
  'Stop speaking at once. Say nothing until the person speaks, or until you are given something to say.'

export function personWrote(text: string): string {
  return `The person has written this, and the answer is being prepared: ${JSON.stringify(text)}`
}

export function newInstructions(text: string): string {
  return `Your instructions have changed. From now on: ${text}`
}

export const workFailed = 'What was asked for could not be done just now. Say so, and offer to try again.'

/** What of its last words the model must not take for told. */
export function heardNote({ heard, unheard }: { readonly heard: string; readonly unheard: string }): string {
  // Of both the end counts and the beginning: together within one append.
  const before = heard.length > 300 ? `…${heard.slice(-300)}` : heard
  const after = unheard.length > 300 ? `${unheard.slice(0, 300)}…` : unheard
  return before === ''
    ? `You were interrupted before the person heard any of this: ${JSON.stringify(after)}`
    : `You were interrupted. The person heard you only up to: ${JSON.stringify(before)}. Not heard: ${JSON.stringify(after)}`
}
