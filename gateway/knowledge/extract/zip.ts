// A ZIP that says how large it is may lie: each part is unpacked here once, under a bound, before a library gets it.

import { inflateRawSync } from 'node:zlib'
import { Unreadable } from './unreadable.ts'

const endMark = 0x06054b50
const entryMark = 0x02014b50
const endBytes = 22
const entryBytes = 46
const mostEntries = 5_000

const bomb = (): Unreadable => new Unreadable('too_large', 'The file unpacks to more than a document should.')
const broken = (): Unreadable => new Unreadable('unreadable', 'The file is damaged.')

/** Names of the parts. Throws Unreadable where they come to more than `mostBytes` in all. */
export function checkZip(bytes: Uint8Array, mostBytes: number): Set<string> {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = view.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'))
  if (end < 0 || end + endBytes > view.length || view.readUInt32LE(end) !== endMark) throw broken()
  const count = view.readUInt16LE(end + 10)
  if (count > mostEntries) throw bomb()
  const names = new Set<string>()
  let left = mostBytes
  let at = view.readUInt32LE(end + 16)
  for (let n = 0; n < count; n++) {
    if (at + entryBytes > view.length || view.readUInt32LE(at) !== entryMark) throw broken()
    const nameLength = view.readUInt16LE(at + 28)
    names.add(view.toString('utf8', at + entryBytes, at + entryBytes + nameLength))
    left -= unpackedBytes(view, at, left)
    at += entryBytes + nameLength + view.readUInt16LE(at + 30) + view.readUInt16LE(at + 32)
  }
  return names
}

function unpackedBytes(view: Buffer, at: number, most: number): number {
  const method = view.readUInt16LE(at + 10)
  const packed = view.readUInt32LE(at + 20)
  const local = view.readUInt32LE(at + 42)
  if (local + 30 > view.length) throw broken()
  const start = local + 30 + view.readUInt16LE(local + 26) + view.readUInt16LE(local + 28)
  if (start + packed > view.length) throw broken()
  if (method === 0) {
    if (packed > most) throw bomb()
    return packed
  }
  if (method !== 8) throw broken()
  try {
    return inflateRawSync(view.subarray(start, start + packed), { maxOutputLength: Math.max(1, most) }).length
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') throw bomb()
    throw broken()
  }
}
