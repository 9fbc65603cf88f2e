// The simulated folder under the program's own log: what outlives a process, and what does not.

import { expect, test } from 'vitest'
import { asTenantId } from '../../gateway/platform/ids.ts'
import { createLog } from '../../gateway/platform/log.ts'
import type { Turn } from '../../gateway/protocol/turn.ts'
import { openWal, type Wal } from '../../gateway/transcript/transcript.ts'
import { seeded } from '../chaos/random.ts'
import { Life, Scheduler, SimClock } from './scheduler.ts'
import { SimFolder, simDisk } from './sim-disk.ts'

const log = createLog('silent', { write: () => {} })

function setup() {
  const scheduler = new Scheduler(seeded(1).fork('order'))
  const folder = new SimFolder()
  const open = async (name: string): Promise<{ readonly wal: Wal; readonly life: Life }> => {
    const life = new Life()
    const disk = simDisk({ folder, life, scheduler, random: seeded(2).fork(name) })
    return { life, wal: await openWal({ dir: 'wal', name, disk, clock: new SimClock(scheduler, life, 0), log }) }
  }
  const replayed = async (wal: Wal): Promise<readonly string[]> => {
    const found: string[] = []
    await wal.replay(async (records) => {
      found.push(...records.map(({ turn }) => turn.id))
      return 0
    })
    return found
  }
  return { scheduler, folder, open, replayed }
}

function record(id: string): Parameters<Wal['put']>[0] {
  const at = '2026-11-24T10:00:00.000Z'
  const turn: Turn = {
    ...{ id, sessionId: 'sess_1', conversationId: 'conv_1', channel: 'api', role: 'agent', state: 'final', seq: 1 },
    ...{ text: id, voice: false, itemId: id, createdAt: at, updatedAt: at },
  }
  return { tenantId: asTenantId('ten_a'), epoch: 1, rev: 1, turn }
}

test('[T9] the next process finds what one wrote before it died, and not what it was about to write', async () => {
  const { scheduler, folder, open, replayed } = setup()
  const first = await open('first')
  first.wal.put(record('written'))
  await scheduler.run(1_000)
  first.wal.put(record('about to be'))
  await scheduler.run(1_010)
  first.life.alive = false
  await scheduler.run(2_000)
  const second = await open('second')
  expect(await replayed(second.wal)).toEqual(['written'])
  expect(await replayed(second.wal)).toEqual([])
  expect(folder.isEmpty).toBe(true)
})

test('[T9] the file of a process that only stands still is left alone', async () => {
  const { scheduler, folder, open, replayed } = setup()
  const first = await open('first')
  first.wal.put(record('waits'))
  await scheduler.run(1_000)
  first.life.frozenUntilMs = 60_000
  const second = await open('second')
  expect(await replayed(second.wal)).toEqual([])
  expect(folder.isEmpty).toBe(false)
  first.life.alive = false
  expect(await replayed(second.wal)).toEqual(['waits'])
})
