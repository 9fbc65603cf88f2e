// One answer of the simulated provider: the whole GA event train, spread over the time it takes to speak it.

import { deltaFrame, eventId } from './wire.ts'

export const deltaMs = 100
/** Deltas of one answer: 3 s of speech, after 3 s of listening. */
export const deltasPerTurn = 30
export const turnMs = 2 * deltasPerTurn * deltaMs

const words = ['The ', 'table ', 'for ', 'four ', 'is ', 'reserved ', 'at ', 'eight ', 'on ', 'Friday. ']
const text = Array.from({ length: deltasPerTurn }, (_, i) => words[i % words.length]).join('')

type Fields = Readonly<Record<string, unknown>>

export interface Speaker {
  readonly connection: number
  /** The next number of an event that the client must see. */
  number(): number
  send(frame: string): void
}

/** An event that clients see, in the wire's key order. */
function tell(to: Speaker, type: string, fields: Fields): void {
  to.send(JSON.stringify({ type, event_id: eventId(to.connection, to.number()), ...fields }))
}

const idsOf = (to: Speaker, turn: number) => ({
  conversation: `conv_b${to.connection}`,
  user: `item_b${to.connection}u${turn}`,
  item: `item_b${to.connection}a${turn}`,
  response: `resp_b${to.connection}x${turn}`,
})

function responseOf(to: Speaker, turn: number, rest: Fields): Fields {
  const { conversation, response } = idsOf(to, turn)
  return {
    object: 'realtime.response',
    id: response,
    status_details: null,
    conversation_id: conversation,
    output_modalities: ['audio'],
    max_output_tokens: 'inf',
    metadata: null,
    ...rest,
  }
}

function agentItem(to: Speaker, turn: number, status: string): Fields {
  const content = status === 'completed' ? [{ type: 'output_audio', transcript: text }] : []
  return { id: idsOf(to, turn).item, object: 'realtime.item', type: 'message', status, role: 'assistant', content }
}

/** The person's words are committed and understood; the answer opens. */
export function beginTurn(to: Speaker, turn: number): void {
  const { user, item, response } = idsOf(to, turn)
  const spoken = [{ type: 'input_audio', transcript: null }]
  const person = {
    id: user,
    object: 'realtime.item',
    type: 'message',
    status: 'completed',
    role: 'user',
    content: spoken,
  }
  const heard = 'conversation.item.input_audio_transcription'
  const atMs = turn * turnMs
  tell(to, 'input_audio_buffer.speech_started', { audio_start_ms: atMs, item_id: user })
  tell(to, 'input_audio_buffer.speech_stopped', { audio_end_ms: atMs + 1_200, item_id: user })
  tell(to, 'input_audio_buffer.committed', { previous_item_id: null, item_id: user })
  tell(to, 'conversation.item.added', { previous_item_id: null, item: person })
  tell(to, 'conversation.item.done', { previous_item_id: null, item: person })
  tell(to, 'response.created', { response: responseOf(to, turn, { status: 'in_progress', output: [], usage: null }) })
  const begun = agentItem(to, turn, 'in_progress')
  tell(to, 'response.output_item.added', { response_id: response, output_index: 0, item: begun })
  tell(to, 'conversation.item.added', { previous_item_id: user, item: begun })
  tell(to, 'response.content_part.added', { ...part(response, item), part: { type: 'audio', transcript: '' } })
  tell(to, `${heard}.delta`, { item_id: user, content_index: 0, delta: 'A table for four, please.' })
  tell(to, `${heard}.completed`, {
    item_id: user,
    content_index: 0,
    transcript: 'A table for four, please.',
    usage: { type: 'duration', seconds: 1.2 },
  })
}

/** The i-th 100 ms with the word they speak. */
export function speak(to: Speaker, turn: number, i: number): void {
  const { item, response } = idsOf(to, turn)
  tell(to, 'response.output_audio_transcript.delta', { ...part(response, item), delta: words[i % words.length] })
  const id = eventId(to.connection, to.number())
  const head = `{"type":"response.output_audio.delta","event_id":"${id}","response_id":"${response}","item_id":"${item}","output_index":0,"content_index":0`
  to.send(deltaFrame(head, to.connection, turn * deltasPerTurn + i))
}

export function endTurn(to: Speaker, turn: number): void {
  const { item, response } = idsOf(to, turn)
  const at = part(response, item)
  const done = agentItem(to, turn, 'completed')
  tell(to, 'response.output_audio.done', at)
  tell(to, 'response.output_audio_transcript.done', { ...at, transcript: text })
  tell(to, 'response.content_part.done', { ...at, part: { type: 'audio', transcript: text } })
  tell(to, 'conversation.item.done', { previous_item_id: null, item: done })
  tell(to, 'response.output_item.done', { response_id: response, output_index: 0, item: done })
  tell(to, 'response.done', { response: responseOf(to, turn, { status: 'completed', output: [done], usage: spent }) })
}

function part(response: string, item: string): Fields {
  return { response_id: response, item_id: item, output_index: 0, content_index: 0 }
}

const spent = {
  total_tokens: 210,
  input_tokens: 120,
  output_tokens: 90,
  input_token_details: {
    text_tokens: 60,
    audio_tokens: 60,
    image_tokens: 0,
    cached_tokens: 64,
    cached_tokens_details: { text_tokens: 32, audio_tokens: 32, image_tokens: 0 },
  },
  output_token_details: { text_tokens: 30, audio_tokens: 60 },
}
