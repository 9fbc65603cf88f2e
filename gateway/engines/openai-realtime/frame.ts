// The hot frame: an audio delta read from its bytes. Nothing here parses JSON; any other key order is left to the reader.

import { bytesPerMs } from '../../protocol/realtime.ts'

const audioHead = Buffer.from('{"type":"response.output_audio.delta",')
const responseKey = '"response_id":"'
const itemKey = '"item_id":"'
const deltaKey = '"delta":"'
/** Everything before the base64 is some 200 bytes in the true wire; a longer head goes the slow way. */
const headBytes = 512
const quote = 0x22
const backslash = 0x5c
const equals = 0x3d

export interface AudioDelta {
  readonly responseId: string
  readonly itemId: string
  /** The base64 stands at [from, to) of the frame. */
  readonly from: number
  readonly to: number
}

/** Undefined: not an audio delta, or not in a shape that bytes alone can tell. */
export function scanAudioDelta(frame: Buffer): AudioDelta | undefined {
  const { length } = audioHead
  if (frame.length <= length || frame.compare(audioHead, 0, length, 0, length) !== 0) return undefined
  const head = frame.toString('latin1', 0, Math.min(frame.length, headBytes))
  const deltaAt = head.indexOf(deltaKey)
  if (deltaAt < 0) return undefined
  const responseId = stringAfter(head, responseKey, deltaAt)
  const itemId = stringAfter(head, itemKey, deltaAt)
  if (responseId === undefined || itemId === undefined) return undefined
  const from = deltaAt + deltaKey.length
  const to = frame.indexOf(quote, from)
  // An escaped slash would make the length a lie.
  if (to < 0 || frame.subarray(from, to).includes(backslash)) return undefined
  return { responseId, itemId, from, to }
}

function stringAfter(head: string, key: string, before: number): string | undefined {
  const at = head.indexOf(key)
  if (at < 0 || at > before) return undefined
  const from = at + key.length
  const to = head.indexOf('"', from)
  return to < 0 ? undefined : head.slice(from, to)
}

/** Decoded length of the base64 at [from, to), padded or not. */
export function base64Bytes(frame: Buffer, from: number, to: number): number {
  let end = to
  while (end > from && end > to - 2 && frame[end - 1] === equals) end--
  return Math.floor(((end - from) * 3) / 4)
}

/** An `audio` event over the provider's own frame: the samples are decoded only for who asks. */
export class WireAudio {
  readonly type = 'audio'
  readonly source = 'provider'
  readonly wire: Buffer
  readonly responseId: string
  readonly itemId: string
  readonly ms: number
  readonly #from: number
  readonly #to: number

  constructor(wire: Buffer, delta: AudioDelta, bytes: number) {
    this.wire = wire
    this.responseId = delta.responseId
    this.itemId = delta.itemId
    this.ms = bytes / bytesPerMs
    this.#from = delta.from
    this.#to = delta.to
  }

  get pcm(): Buffer {
    return Buffer.from(this.wire.toString('latin1', this.#from, this.#to), 'base64')
  }
}

const appendHead = Buffer.from('{"type":"input_audio_buffer.append","audio":"')
const appendTail = Buffer.from('"}')

/** One GA append frame around raw samples. */
export function appendFrame(pcm: Buffer): Buffer {
  const base64Length = Math.ceil(pcm.length / 3) * 4
  const frame = Buffer.allocUnsafe(appendHead.length + base64Length + appendTail.length)
  appendHead.copy(frame)
  frame.write(pcm.toString('base64'), appendHead.length, 'latin1')
  appendTail.copy(frame, frame.length - appendTail.length)
  return frame
}
