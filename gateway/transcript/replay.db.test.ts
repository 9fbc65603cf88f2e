import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { systemClock } from '../platform/clock.ts'
import { asTenantId } from '../platform/ids.ts'
import { createLog } from '../platform/log.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import type { Turn } from '../protocol/turn.ts'
import { createTranscript, openWal, transcriptCollections } from './transcript.ts'

let store: TestStore
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, transcriptCollections)
})
afterAll(() => store[Symbol.asyncDispose]())

const tenant = asTenantId('ten_a')
const log = createLog('silent')
const turn = (sessionId: string, seq: number, over: Partial<Turn> = {}): Turn => ({
  id: `${sessionId}_${seq}`,
  sessionId,
  conversationId: `conv_of_${sessionId}`,
  channel: 'widget',
  role: 'agent',
  state: 'final',
  seq,
  text: `turn ${seq}`,
  voice: true,
  itemId: `item_${seq}`,
  createdAt: '2026-11-24T10:00:00.000Z',
  updatedAt: '2026-11-24T10:00:00.000Z',
  ...over,
})

/** Puts versions on disk as a process would have that died before the store took them. */
async function leaveOnDisk(versions: readonly { turn: Turn; epoch?: number; rev?: number }[]): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'parley-replay-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const wal = await openWal({ dir, log, clock: systemClock })
  for (const { turn, epoch = 1, rev = 1 } of versions) wal.put({ tenantId: tenant, turn, epoch, rev })
  await wal.close()
  return dir
}

async function replay(dir: string) {
  const wal = await openWal({ dir, log, clock: systemClock })
  try {
    return await createTranscript({ db: store.db, wal }).replay()
  } finally {
    await wal.close()
  }
}

const transcript = () => createTranscript({ db: store.db }).of(tenant)

test('[T9] every turn on disk is in the store afterwards, in order, and nothing is left on disk', async () => {
  const session = 'sess_left'
  const dir = await leaveOnDisk(Array.from({ length: 500 }, (_, n) => ({ turn: turn(session, 500 - n) })))
  expect(await replay(dir)).toEqual({ files: 1, turns: 500, fenced: 0, damaged: 0 })
  expect((await transcript().ofSession(session)).map((each) => each.seq)).toEqual(
    Array.from({ length: 500 }, (_, n) => n + 1),
  )
  expect(await readdir(dir)).toEqual([])
})

test('[T9] a turn the store has in a later version, or under a later owner, stays as it is; the latter is counted', async () => {
  const session = 'sess_both'
  const dir = await leaveOnDisk([
    { turn: turn(session, 1, { text: 'old' }) },
    { turn: turn(session, 2, { text: 'old' }) },
  ])
  await transcript().write([turn(session, 1, { text: 'later version' })], { epoch: 1 })
  await transcript().write([turn(session, 2, { text: 'later owner' })], { epoch: 2 })
  expect(await replay(dir)).toMatchObject({ turns: 2, fenced: 1 })
  expect((await transcript().ofSession(session)).map((each) => each.text)).toEqual(['later version', 'later owner'])
})

test('[T9] two processes replaying the same folder at once write each turn once', async () => {
  const session = 'sess_twice'
  const dir = await leaveOnDisk([{ turn: turn(session, 1) }, { turn: turn(session, 2) }])
  const reports = await Promise.all([replay(dir), replay(dir), replay(dir)])
  expect(reports.reduce((sum, each) => sum + each.turns, 0)).toBe(2)
  expect(await transcript().ofSession(session)).toHaveLength(2)
  expect(await readdir(dir)).toEqual([])
})

test('[T12] a turn the janitor closed half is completed from disk, and stays closed', async () => {
  const session = 'sess_half'
  const half = turn(session, 1, { state: 'partial', text: 'We are' })
  await transcript().write([half], { epoch: 1 })
  const rev = (systemClock.now() + 1_000) * 1000
  const dir = await leaveOnDisk([
    { turn: { ...half, text: 'We are open' }, rev },
    { turn: turn(session, 2, { state: 'partial', text: 'Until' }), rev },
  ])
  expect(await transcript().closePartial(session, { epoch: 2 })).toBe(1)
  expect(await replay(dir)).toMatchObject({ turns: 2, fenced: 0 })
  expect(await transcript().ofSession(session)).toMatchObject([
    { text: 'We are open', state: 'final' },
    { text: 'Until', state: 'final' },
  ])
})
