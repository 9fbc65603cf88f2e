// The frames of the bench. A stamp (when, who, which) rides in the first samples of each audio frame; a number rides in
// each event id the simulated provider sends. Loss, doubles, order and latency are read from nothing else.

/** CLOCK_MONOTONIC in µs: the same in every process of one machine. */
export function nowUs(): number {
  return Number(process.hrtime.bigint()) / 1000
}

export interface Stamp {
  atUs: number
  who: number
  seq: number
}

/** 8 time + 4 who + 4 number + 2 mark = 18 bytes = 24 characters of base64, no padding. */
const stampBytes = 18
const stampChars = 24
const mark = 0x5041
const scratch = Buffer.alloc(stampBytes)

function stampText(who: number, seq: number): string {
  scratch.writeDoubleLE(nowUs(), 0)
  scratch.writeUInt32LE(who, 8)
  scratch.writeUInt32LE(seq, 12)
  scratch.writeUInt16LE(mark, 16)
  return scratch.toString('base64')
}

function readStamp(text: string): Stamp | undefined {
  if (scratch.write(text, 0, 'base64') !== stampBytes || scratch.readUInt16LE(16) !== mark) return undefined
  return { atUs: scratch.readDoubleLE(0), who: scratch.readUInt32LE(8), seq: scratch.readUInt32LE(12) }
}

/** 440 Hz at -12 dBFS, PCM16 24 kHz, without the room the stamp takes. */
function toneAfterStamp(bytes: number): string {
  const pcm = Buffer.alloc(bytes)
  for (let i = 0; i < bytes / 2; i++) {
    pcm.writeInt16LE(Math.round(8_000 * Math.sin((2 * Math.PI * 440 * i) / 24_000)), i * 2)
  }
  return pcm.subarray(stampBytes).toString('base64')
}

/** 20 ms up, 100 ms down: what browsers send and what the provider sends. */
const appendHead = Buffer.from('{"type":"input_audio_buffer.append","audio":"')
const append = Buffer.concat([appendHead, Buffer.alloc(stampChars), Buffer.from(`${toneAfterStamp(960)}"}`)])
const deltaTail = `${toneAfterStamp(4_800)}"}`

/** The frame is overwritten by the next call: sending it through `ws` as a client copies it at once. */
export function appendFrame(who: number, seq: number): Buffer {
  append.write(stampText(who, seq), appendHead.length, 'latin1')
  return append
}

/** Undefined: no append frame of ours. */
export function readAppend(frame: Buffer): Stamp | undefined {
  if (frame.length !== append.length || frame.compare(appendHead, 0, appendHead.length, 0, appendHead.length) !== 0) {
    return undefined
  }
  return readStamp(frame.toString('latin1', appendHead.length, appendHead.length + stampChars))
}

/** `head`: the event up to its delta, without the closing brace. */
export function deltaFrame(head: string, who: number, seq: number): string {
  return `${head},"delta":"${stampText(who, seq)}${deltaTail}`
}

export interface ServerEvent {
  readonly type: string
  /** Number of a provider's event that every client must see, else undefined. */
  readonly event: { readonly connection: number; readonly n: number } | undefined
  /** Only in audio deltas. */
  readonly stamp: Stamp | undefined
}

const head = /^\{"type":"([a-z_.]+)"(?:,"event_id":"event_b(\d+)_(\d+)")?/
const deltaKey = '"delta":"'
const headBytes = 384

export function eventId(connection: number, n: number): string {
  return `event_b${connection}_${n}`
}

/** Any event a client receives; the type of the gateway's own events may stand after their id. */
export function readServerEvent(frame: Buffer): ServerEvent {
  const text = frame.toString('latin1', 0, Math.min(frame.length, headBytes))
  const found = head.exec(text)
  if (found === null) return { type: /"type":"([a-z_.]+)"/.exec(text)?.[1] ?? '', event: undefined, stamp: undefined }
  const [, type = '', connection, n] = found
  const event = connection === undefined ? undefined : { connection: Number(connection), n: Number(n) }
  if (type !== 'response.output_audio.delta') return { type, event, stamp: undefined }
  const at = text.indexOf(deltaKey) + deltaKey.length
  return { type, event, stamp: readStamp(frame.toString('latin1', at, at + stampChars)) }
}
