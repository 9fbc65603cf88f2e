// Servers of the old interface (LocalAI, speaches, vLLM, Qwen, StepFun still are) say the same in other names and shapes. They are
// made new at the door: nobody behind it, and no client that the frames are forwarded to, knows the old ones.

import { z } from 'zod'
import { newId } from '../../platform/ids.ts'
import { Recent } from '../recent.ts'

type Json = Readonly<Record<string, unknown>>

const names: ReadonlyMap<string, string> = new Map([
  ['response.text.delta', 'response.output_text.delta'],
  ['response.text.done', 'response.output_text.done'],
  ['response.audio.delta', 'response.output_audio.delta'],
  ['response.audio.done', 'response.output_audio.done'],
  ['response.audio_transcript.delta', 'response.output_audio_transcript.delta'],
  ['response.audio_transcript.done', 'response.output_audio_transcript.done'],
])
const oldItem = 'conversation.item.created'

const oldHead = Buffer.from('{"type":"response.audio.delta",')
const newHead = Buffer.from('{"type":"response.output_audio.delta",')

/** The hot frame: only its head is another. */
export function modernAudio(frame: Buffer): Buffer {
  const isOld = frame.length > oldHead.length && frame.compare(oldHead, 0, oldHead.length, 0, oldHead.length) === 0
  return isOld ? Buffer.concat([newHead, frame.subarray(oldHead.length)]) : frame
}

const part = z.looseObject({ type: z.string() })
const item = z.looseObject({
  id: z.string().optional(),
  type: z.string(),
  role: z.string().optional(),
  status: z.string().optional(),
  content: z.array(part).optional(),
})
const response = z.looseObject({
  output: z.array(item).optional(),
  modalities: z.array(z.string()).optional(),
  voice: z.unknown().optional(),
  output_audio_format: z.unknown().optional(),
})
const event = z.looseObject({ type: z.string(), item: item.optional(), response: response.optional() })
type Event = z.output<typeof event>

export class Beta {
  /** Items that were only said to be begun: the old wire has no end for them. */
  readonly #begun = new Recent<true>()

  /** The event's frames in the words of today; undefined: it is of today. */
  frames(json: unknown): readonly Buffer[] | undefined {
    const parsed = event.safeParse(json)
    if (!parsed.success) return undefined
    const old = parsed.data
    const item = old.item === undefined ? undefined : (modernItem(old.item) ?? old.item)
    if (old.type === oldItem) return this.#created({ ...old, item })
    const response = old.response === undefined ? undefined : modernResponse(old.response)
    const isOld = names.has(old.type) || response !== undefined || item !== old.item
    const id = old.type === 'response.output_item.done' ? item?.id : undefined
    const ends = id !== undefined && this.#begun.has(id)
    if (ends) this.#begun.delete(id)
    if (!isOld && !ends) return undefined
    const type = names.get(old.type) ?? old.type
    const modern = {
      ...old,
      type,
      ...(item === undefined ? {} : { item }),
      ...(response === undefined ? {} : { response }),
    }
    return ends ? [done({ item }), frameOf(modern)] : [frameOf(modern)]
  }

  /** One event became two: the item is there, and it is whole. */
  #created({ item, ...old }: Event): readonly Buffer[] {
    const added = frameOf({ ...old, type: 'conversation.item.added', item })
    if (item?.status !== 'in_progress') return [added, done({ ...old, item })]
    if (item.id !== undefined) this.#begun.set(item.id, true)
    return [added]
  }
}

function done(event: Json): Buffer {
  return frameOf({ ...event, type: 'conversation.item.done', event_id: newId('event') })
}

function modernItem(old: z.output<typeof item>): z.output<typeof item> | undefined {
  if (old.role !== 'assistant' || old.content?.some(isOldPart) !== true) return undefined
  return {
    ...old,
    content: old.content.map((each) => (isOldPart(each) ? { ...each, type: `output_${each.type}` } : each)),
  }
}

function isOldPart({ type }: z.output<typeof part>): boolean {
  return type === 'text' || type === 'audio'
}

/** Undefined: it is of today. */
function modernResponse(old: z.output<typeof response>): Json | undefined {
  if (old.modalities === undefined) return undefined
  const { modalities, voice, output_audio_format: _format, ...rest } = old
  const output = (old.output ?? []).map((each) => modernItem(each) ?? each)
  const audio = voice === undefined ? {} : { audio: { output: { voice } } }
  return { ...rest, output, output_modalities: [modalities.includes('audio') ? 'audio' : 'text'], ...audio }
}

function frameOf(event: Json): Buffer {
  return Buffer.from(JSON.stringify(event))
}
