// Events of our own in the place of an engine's: the end of an answer that broke off, and the holding line. For legs that
// forward the GA protocol they carry the frames that the provider would have sent.

import { newId } from '../../platform/ids.ts'
import { bytesPerMs } from '../../protocol/realtime.ts'
import type { Capabilities, EngineEvent } from '../engines.ts'
import { type Response, type SaidItem, saidOf } from './answers.ts'

type Json = Readonly<Record<string, unknown>>
type Dialect = Capabilities['dialect']

const source = 'local'
const pieceBytes = 100 * bytesPerMs

/** Closes every item as far as it was said, then the response. */
export function broken(response: Response, dialect: Dialect): readonly EngineEvent[] {
  const { responseId } = response
  const frames = new Frames(dialect, responseId)
  const events: EngineEvent[] = []
  for (const [index, item] of response.items.entries()) events.push(...endOf(item, { responseId, frames, index }))
  const output = response.items.map((item) => frames.message(item.itemId, partOf(item), 'incomplete'))
  const reason = 'engine_lost'
  const wire = frames.frame({
    type: 'response.done',
    response: frames.response('incomplete', { type: 'incomplete', reason }, output),
  })
  events.push({ type: 'responseDone', source, responseId, status: 'incomplete', reason, ...wire })
  return events
}

interface Place {
  readonly responseId: string
  readonly frames: Frames
  readonly index: number
}

function endOf(item: SaidItem, { responseId, frames, index }: Place): readonly EngineEvent[] {
  const { itemId, spoken } = item
  const events: EngineEvent[] = []
  const where = { response_id: responseId, item_id: itemId, output_index: index, content_index: 0 }
  if (item.audioMs > 0 && !item.audioDone) {
    const wire = frames.frame({ type: 'response.output_audio.done', ...where })
    events.push({ type: 'audioDone', source, responseId, itemId, ...wire })
  }
  const said = saidOf(item)
  if (item.final === said) return events
  const part = partOf(item)
  const done = spoken
    ? { type: 'response.output_audio_transcript.done', ...where, transcript: said }
    : { type: 'response.output_text.done', ...where, text: said }
  // A client that was told the end of the text already learns no other.
  const open = item.final === undefined
  const wire = open && part !== undefined ? frames.frame(done) : {}
  events.push({ type: 'agentText', source, responseId, itemId, spoken, final: said, ...wire })
  if (open && part !== undefined) events.push(...frames.native({ type: 'response.content_part.done', ...where, part }))
  if (open) {
    const body = frames.message(itemId, part, 'incomplete')
    const place = { response_id: responseId, output_index: index }
    events.push(...frames.native({ type: 'response.output_item.done', ...place, item: body }))
  }
  return events
}

/** Of the item's one part; undefined when it never began. */
function partOf(item: SaidItem): Json | undefined {
  if (item.spoken) return { type: 'audio', transcript: saidOf(item) }
  return item.text === '' ? undefined : { type: 'text', text: saidOf(item) }
}

/** A whole answer of ours, in its own response. */
export function spoken(
  line: { readonly text: string; readonly pcm: Buffer },
  dialect: Dialect,
): readonly EngineEvent[] {
  const { text, pcm } = line
  const responseId = newId('resp')
  const itemId = newId('item')
  const frames = new Frames(dialect, responseId)
  const item = { source, responseId, itemId } as const
  const where = { response_id: responseId, item_id: itemId, output_index: 0, content_index: 0 }
  const place = { response_id: responseId, output_index: 0 }
  const whole = { type: 'audio', transcript: text }
  const said = frames.message(itemId, whole, 'completed')
  const begun = { type: 'response.created', response: frames.response('in_progress', null, []) }
  const added = frames.message(itemId, undefined, 'in_progress')
  const words = { type: 'response.output_audio_transcript.delta', ...where, delta: text }
  const wordsDone = { type: 'response.output_audio_transcript.done', ...where, transcript: text }
  const done = { type: 'response.done', response: frames.response('completed', null, [said]) }
  return [
    { type: 'responseStarted', source, responseId, ...frames.frame(begun) },
    { type: 'agentItem', ...item, ...frames.frame({ type: 'response.output_item.added', ...place, item: added }) },
    ...frames.native({ type: 'response.content_part.added', ...where, part: { type: 'audio', transcript: '' } }),
    { type: 'agentText', ...item, spoken: true, delta: text, ...frames.frame(words) },
    ...piecesOf(pcm).map((piece): EngineEvent => {
      const delta = { type: 'response.output_audio.delta', ...where, delta: piece.toString('base64') }
      return { type: 'audio', ...item, pcm: piece, ms: piece.length / bytesPerMs, ...frames.frame(delta) }
    }),
    { type: 'audioDone', ...item, ...frames.frame({ type: 'response.output_audio.done', ...where }) },
    { type: 'agentText', ...item, spoken: true, final: text, ...frames.frame(wordsDone) },
    ...frames.native({ type: 'response.content_part.done', ...where, part: whole }),
    ...frames.native({ type: 'response.output_item.done', ...place, item: said }),
    { type: 'responseDone', source, responseId, status: 'completed', ...frames.frame(done) },
  ]
}

/** The words of this speech will not come. `again`: another engine hears it, under an item of its own. */
export function unheard(itemId: string, again: boolean, dialect: Dialect): EngineEvent {
  const frames = new Frames(dialect, '')
  const type = 'conversation.item.input_audio_transcription'
  const where = { item_id: itemId, content_index: 0 }
  if (again) {
    const wire = frames.frame({ type: `${type}.completed`, ...where, transcript: '' })
    return { type: 'userText', source, itemId, final: '', ...wire }
  }
  const error = { type: 'transcription_error', code: 'engine_lost', message: 'The words were lost.', param: null }
  return {
    type: 'userText',
    source,
    itemId,
    failed: 'engine_lost',
    ...frames.frame({ type: `${type}.failed`, ...where, error }),
  }
}

function piecesOf(pcm: Buffer): readonly Buffer[] {
  return Array.from({ length: Math.ceil(pcm.length / pieceBytes) }, (_, i) =>
    pcm.subarray(i * pieceBytes, (i + 1) * pieceBytes),
  )
}

/** The provider's frames, or none where nobody forwards them. */
class Frames {
  readonly #ga: boolean
  readonly #responseId: string

  constructor(dialect: Dialect, responseId: string) {
    this.#ga = dialect === 'openai-realtime-ga'
    this.#responseId = responseId
  }

  frame({ type, ...rest }: Json & { readonly type: string }): { readonly wire?: Buffer } {
    if (!this.#ga) return {}
    return { wire: Buffer.from(JSON.stringify({ type, event_id: newId('event'), ...rest })) }
  }

  native(frame: Json & { readonly type: string }): readonly EngineEvent[] {
    return this.#ga ? [{ type: 'native', source, name: frame.type, ...this.frame(frame) }] : []
  }

  message(id: string, part: Json | undefined, status: string): Json {
    const content = part === undefined ? [] : [{ ...part, type: `output_${String(part.type)}` }]
    return { id, object: 'realtime.item', type: 'message', status, role: 'assistant', content }
  }

  response(status: string, details: Json | null, output: readonly Json[]): Json {
    return { object: 'realtime.response', id: this.#responseId, status, status_details: details, output, usage: null }
  }
}
