// From frames of /v1/realtime to the few events the panel cares about. Tolerant: what it does not know it ignores.

import type { ProblemBody, ProblemCode } from '../gateway/protocol/codes.ts'
import { decodeAudio, type ParleyServerEvent } from '../gateway/protocol/realtime.ts'

export type WireEvent =
  | ParleyServerEvent
  | {
      readonly type: 'text'
      readonly itemId: string
      readonly role: 'user' | 'agent'
      readonly spoken: boolean
      readonly delta?: string
      readonly final?: string
    }
  | { readonly type: 'audio'; readonly itemId: string; readonly pcm: Uint8Array }
  | { readonly type: 'audioDone'; readonly itemId: string }
  | { readonly type: 'speech'; readonly phase: 'start' | 'stop' }
  | { readonly type: 'response'; readonly phase: 'start' | 'stop' }
  /** The gateway plays, on a track. */
  | { readonly type: 'sound'; readonly on: boolean }
  | { readonly type: 'refused'; readonly problem: ProblemBody }

/** `event`: absent for what the panel does not know; its number counts all the same. */
export interface Frame {
  readonly seq: number | undefined
  readonly event: WireEvent | undefined
}

type Json = Readonly<Record<string, unknown>>

/** Undefined for what is no frame of the gateway's. */
export function readFrame(data: unknown): Frame | undefined {
  if (data instanceof ArrayBuffer) {
    const audio = decodeAudio(new Uint8Array(data))
    return audio === undefined ? undefined : { seq: undefined, event: { type: 'audio', ...audio } }
  }
  const json = typeof data === 'string' ? parseObject(data) : undefined
  if (json === undefined || typeof json.type !== 'string') return undefined
  const event = isParley(json) ? json : standard(json, json.type)
  // The hello tells where counting begins; it has no number of its own.
  const counts = typeof json.seq === 'number' && json.type !== 'parley.session'
  return { seq: counts ? Number(json.seq) : undefined, event }
}

/** Undefined for what is not a JSON object. */
export function parseObject(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The gateway serves panel and socket together, so its own events have the shape they are declared with. */
function isParley(json: Json): json is Json & ParleyServerEvent {
  return String(json.type).startsWith('parley.')
}

function standard(json: Json, type: string): WireEvent | undefined {
  const itemId = string(json.item_id) ?? ''
  switch (type) {
    case 'response.output_audio_transcript.delta':
      return { type: 'text', itemId, role: 'agent', spoken: true, delta: string(json.delta) ?? '' }
    case 'response.output_audio_transcript.done':
      return { type: 'text', itemId, role: 'agent', spoken: true, final: string(json.transcript) ?? '' }
    case 'response.output_text.delta':
      return { type: 'text', itemId, role: 'agent', spoken: false, delta: string(json.delta) ?? '' }
    case 'response.output_text.done':
      return { type: 'text', itemId, role: 'agent', spoken: false, final: string(json.text) ?? '' }
    case 'conversation.item.input_audio_transcription.delta':
      return { type: 'text', itemId, role: 'user', spoken: true, delta: string(json.delta) ?? '' }
    case 'conversation.item.input_audio_transcription.completed':
      return { type: 'text', itemId, role: 'user', spoken: true, final: string(json.transcript) ?? '' }
    case 'response.output_audio.delta':
      return { type: 'audio', itemId, pcm: fromBase64(string(json.delta) ?? '') }
    case 'response.output_audio.done':
      return { type: 'audioDone', itemId }
    case 'input_audio_buffer.speech_started':
      return { type: 'speech', phase: 'start' }
    case 'input_audio_buffer.speech_stopped':
      return { type: 'speech', phase: 'stop' }
    case 'output_audio_buffer.started':
      return { type: 'sound', on: true }
    case 'output_audio_buffer.stopped':
    case 'output_audio_buffer.cleared':
      return { type: 'sound', on: false }
    case 'response.created':
      return { type: 'response', phase: 'start' }
    case 'response.done':
      return { type: 'response', phase: 'stop' }
    case 'error':
      return refused(json.parley)
    default:
      return undefined
  }
}

/** Errors without a problem are answers to a single event: nothing a visitor could act on. */
function refused(parley: unknown): WireEvent | undefined {
  const problem = asProblem(parley)
  return problem === undefined ? undefined : { type: 'refused', problem }
}

export function asProblem(value: unknown): ProblemBody | undefined {
  if (!isObject(value)) return undefined
  const { message, retry, retryAfterMs } = value
  const code = asCode(value.code)
  if (code === undefined || typeof message !== 'string') return undefined
  return {
    code,
    message,
    retry: retry === 'now' || retry === 'backoff' || retry === 'new_token' ? retry : 'never',
    ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}),
  }
}

/** A code that this page has no words for is shown with the gateway's own. */
export function asCode(value: unknown): ProblemCode | undefined {
  return isCode(value) ? value : undefined
}

function isCode(value: unknown): value is ProblemCode {
  return typeof value === 'string' && /^[a-z_]{1,40}$/.test(value)
}

function string(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
