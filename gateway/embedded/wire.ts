// MongoDB's wire protocol: OP_MSG, and OP_QUERY for the first hello of drivers.
import { deserialize } from 'bson'
import { DECODING, toBson } from './document.ts'
import type { Doc } from './value.ts'

const OP_REPLY = 1
const OP_QUERY = 2004
const OP_MSG = 2013
const HEADER_BYTES = 16
/** What hello announces as maxMessageSizeBytes. */
export const MAX_MESSAGE_BYTES = 48_000_000
const CHECKSUM = 1
const MORE_TO_COME = 2

export interface Message {
  readonly id: number
  readonly command: Doc
  readonly legacy: boolean
  /** The client wants no answer. */
  readonly silent: boolean
}

/** Cuts a stream of bytes into messages. */
export class Framer {
  #chunks: Buffer[] = []
  #length = 0

  /** Throws when the stream is not the protocol; the connection is then lost. */
  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    const messages: Buffer[] = []
    while (this.#length >= HEADER_BYTES) {
      let first = this.#chunks[0]
      if (!first || first.length < 4) first = this.#join()
      const needed = first.readInt32LE(0)
      if (needed < HEADER_BYTES || needed > MAX_MESSAGE_BYTES + 16_384) throw new Error('bad message length')
      if (this.#length < needed) break
      const all = this.#join()
      messages.push(all.subarray(0, needed))
      this.#chunks = all.length > needed ? [all.subarray(needed)] : []
      this.#length -= needed
    }
    return messages
  }

  #join(): Buffer {
    const [only, ...others] = this.#chunks
    const all = only && !others.length ? only : Buffer.concat(this.#chunks)
    this.#chunks = [all]
    return all
  }
}

/** Documents to insert stay bytes; everything else is decoded (the option reaches fields of that name at any depth). */
const INSERT = { ...DECODING, fieldsAsRaw: { documents: true } }
const isInsert = (command: Buffer): boolean => command.toString('latin1', 5, 12) === 'insert\0'

export function parseMessage(bytes: Buffer): Message {
  const id = bytes.readInt32LE(4)
  const operation = bytes.readInt32LE(12)
  if (operation === OP_MSG) {
    const flags = bytes.readUInt32LE(HEADER_BYTES)
    const command = parseSections(bytes.subarray(HEADER_BYTES + 4, bytes.length - (flags & CHECKSUM ? 4 : 0)))
    return { id, command, legacy: false, silent: (flags & MORE_TO_COME) !== 0 }
  }
  if (operation !== OP_QUERY) throw new Error(`unsupported opcode ${operation}`)
  const nameEnd = bytes.indexOf(0, 20)
  // The namespace is followed by two integers: how many to skip and to return.
  const query = deserialize(sized(bytes, nameEnd + 9), DECODING)
  const $db = bytes.toString('utf8', 20, nameEnd).split('.')[0]
  return { id, command: { ...(query.$query ?? query), $db }, legacy: true, silent: false }
}

const sized = (bytes: Buffer, at: number): Buffer => {
  const end = at + bytes.readInt32LE(at)
  if (end <= at || end > bytes.length) throw new Error('bad document length')
  return bytes.subarray(at, end)
}

function parseSections(bytes: Buffer): Doc {
  let command: Doc = {}
  const sequences: Doc = {}
  for (let at = 0; at < bytes.length; ) {
    const kind = bytes.readUInt8(at)
    const section = sized(bytes, at + 1)
    at += 1 + section.length
    if (kind === 0) command = deserialize(section, isInsert(section) ? INSERT : DECODING)
    else if (kind === 1) {
      const nameEnd = section.indexOf(0, 4)
      const name = section.toString('utf8', 4, nameEnd)
      const documents: Buffer[] = []
      for (let next = nameEnd + 1; next < section.length; next += documents.at(-1)?.length ?? 0)
        documents.push(sized(section, next))
      sequences[name] = name === 'documents' ? documents : documents.map((one) => deserialize(one, DECODING))
    } else throw new Error('bad section kind')
  }
  return { ...command, ...sequences }
}

let lastId = 0

export function toReply(to: Message, body: Buffer): Buffer {
  const head = Buffer.alloc(HEADER_BYTES + (to.legacy ? 20 : 5))
  lastId = (lastId + 1) & 0x7fffffff
  head.writeInt32LE(head.length + body.length, 0)
  head.writeInt32LE(lastId, 4)
  head.writeInt32LE(to.id, 8)
  head.writeInt32LE(to.legacy ? OP_REPLY : OP_MSG, 12)
  if (to.legacy) {
    // Flags (8: await capable), cursor id, starting from, number of documents.
    head.writeInt32LE(8, 16)
    head.writeInt32LE(1, 32)
  }
  return Buffer.concat([head, body])
}

/** A BSON document in pieces: they are copied once, when the whole reply is joined. */
function inPieces(elements: Buffer[]): Buffer[] {
  const size = Buffer.alloc(4)
  size.writeInt32LE(elements.reduce((sum, element) => sum + element.length, 5))
  return [size, ...elements, Buffer.alloc(1)]
}
const DOCUMENT = '\x03'
const ARRAY = '\x04'
const element = (type: string, name: string, content: Buffer[]): Buffer[] => [
  Buffer.from(`${type}${name}\0`, 'latin1'),
  ...content,
]

/** `{cursor: {<batch>: documents, id, ns}, ok: 1}`, without decoding the documents. */
export function cursorReply(
  batch: 'firstBatch' | 'nextBatch',
  documents: Buffer[],
  cursor: { id: bigint; ns: string },
): Buffer {
  const array = inPieces(documents.flatMap((document, at) => element(DOCUMENT, String(at), [document])))
  const inside = inPieces([...element(ARRAY, batch, array), toBson(cursor).subarray(4, -1)])
  return Buffer.concat(inPieces([...element(DOCUMENT, 'cursor', inside), toBson({ ok: 1 }).subarray(4, -1)]))
}
