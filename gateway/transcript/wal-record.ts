// A line of the log: eight hex digits of CRC-32, a space, JSON. A line that does not fit its sum is damage, not data.

import { crc32 } from 'node:zlib'
import { z } from 'zod'
import { asTenantId, type TenantId } from '../platform/ids.ts'
import { type Channel, type Turn, toolStates } from '../protocol/turn.ts'
import type { Version } from './turn-store.ts'

export interface WalRecord extends Version {
  readonly tenantId: TenantId
}

const turn: z.ZodType<Turn> = z.object({
  id: z.string(),
  sessionId: z.string(),
  conversationId: z.string(),
  channel: z.custom<Channel>((value) => typeof value === 'string'),
  role: z.enum(['user', 'agent', 'tool', 'system']),
  state: z.enum(['partial', 'final', 'interrupted', 'failed']),
  seq: z.number(),
  text: z.string(),
  unheard: z.string().exactOptional(),
  voice: z.boolean(),
  itemId: z.string(),
  tool: z
    .object({
      name: z.string(),
      callId: z.string(),
      arguments: z.string(),
      output: z.string().exactOptional(),
      state: z.enum(toolStates),
    })
    .exactOptional(),
  visual: z.object({ id: z.string(), visual: z.string(), data: z.record(z.string(), z.unknown()) }).exactOptional(),
  audio: z.object({ sentMs: z.number(), playedMs: z.number() }).exactOptional(),
  latencyMs: z.number().exactOptional(),
  latency: z
    .object({
      endpointingMs: z.number().exactOptional(),
      sttMs: z.number().exactOptional(),
      modelMs: z.number().exactOptional(),
      toolsMs: z.number().exactOptional(),
      ttsMs: z.number().exactOptional(),
      transportMs: z.number().exactOptional(),
    })
    .exactOptional(),
  createdAt: z.string(),
  updatedAt: z.string(),
})
const record = z.object({ tenantId: z.string().transform(asTenantId), epoch: z.int(), rev: z.number(), turn })

const sumChars = 8

export function encodeLine(each: WalRecord): Buffer {
  const json = JSON.stringify({ tenantId: each.tenantId, epoch: each.epoch, rev: each.rev, turn: each.turn })
  return Buffer.from(`${crc32(json).toString(16).padStart(sumChars, '0')} ${json}\n`)
}

/** Undefined for a line that is torn or damaged. */
function decodeLine(line: string): WalRecord | undefined {
  const json = line.slice(sumChars + 1)
  if (line.slice(0, sumChars + 1) !== `${crc32(json).toString(16).padStart(sumChars, '0')} `) return undefined
  try {
    return record.safeParse(JSON.parse(json)).data
  } catch {
    return undefined
  }
}

/** The newest version of each turn, in the order in which they came, and how many lines were damaged. */
export function decodeLines(text: string): { readonly records: readonly WalRecord[]; readonly damaged: number } {
  const newest = new Map<string, WalRecord>()
  let damaged = 0
  for (const line of text.split('\n')) {
    if (line === '') continue
    const found = decodeLine(line)
    if (found === undefined) damaged++
    else if ((newest.get(found.turn.id)?.rev ?? 0) <= found.rev) newest.set(found.turn.id, found)
  }
  return { records: [...newest.values()], damaged }
}
