// A process to be killed: puts one turn into the log of a folder, says when it is on disk, and stays.

import { systemClock } from '../platform/clock.ts'
import { asTenantId } from '../platform/ids.ts'
import { createLog } from '../platform/log.ts'
import { openProcessWal } from './wal.ts'

const wal = await openProcessWal({ dir: process.argv[2] ?? '', log: createLog('silent'), clock: systemClock })
const at = '2026-11-24T10:00:00.000Z'
wal.put({
  tenantId: asTenantId('ten_a'),
  epoch: 1,
  rev: 1,
  turn: {
    id: 'of the child',
    sessionId: 'sess_1',
    conversationId: 'conv_1',
    channel: 'widget',
    role: 'agent',
    state: 'final',
    seq: 1,
    text: 'Hello',
    voice: false,
    itemId: 'item_1',
    createdAt: at,
    updatedAt: at,
  },
})
await wal.flushed()
process.send?.('on disk')
setInterval(() => {}, 1_000)
