import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { asTenantId } from '../platform/ids.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import type { Turn } from '../protocol/turn.ts'
import { LeapClock } from './leap-clock.test-support.ts'
import { createTranscript, type Lease, transcriptCollections } from './transcript.ts'

let store: TestStore
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, transcriptCollections)
})
afterAll(() => store[Symbol.asyncDispose]())

const tenant = asTenantId('ten_a')
const turn = (sessionId: string, over: Partial<Turn>): Turn => ({
  id: `${sessionId}_1`,
  sessionId,
  conversationId: `conv_of_${sessionId}`,
  channel: 'widget',
  role: 'agent',
  state: 'final',
  seq: 1,
  text: 'Hello',
  voice: true,
  itemId: 'item_1',
  createdAt: '2026-11-24T10:00:00.000Z',
  updatedAt: '2026-11-24T10:00:00.000Z',
  ...over,
})

/** The sessions' collection as far as ownership goes. */
class Ownership {
  epoch = 1
  asked = 0
  lease(clock: LeapClock, epoch: number): Lease {
    let confirmedAtMs = clock.monotonicMs()
    return {
      confirmedAtMs: () => confirmedAtMs,
      confirm: async () => {
        this.asked++
        const mine = this.epoch === epoch
        if (mine) confirmedAtMs = clock.monotonicMs()
        return mine
      },
    }
  }
}

async function settled<T>(clock: LeapClock, promise: Promise<T>): Promise<T> {
  let isDone = false
  const done = promise.finally(() => {
    isDone = true
  })
  for (let n = 0; n < 200 && !isDone; n++) await clock.run(20)
  return done
}

test('[T5] a process frozen for 30 s wakes up after a takeover: none of its writes is accepted, its session is told', async () => {
  const session = 'sess_zombie'
  const clock = new LeapClock()
  const ownership = new Ownership()
  const zombie = createTranscript({ db: store.db, clock })
    .of(tenant)
    .writer({ epoch: 1, lease: ownership.lease(clock, 1) })
  const first = turn(session, { state: 'partial', text: 'Our opening' })
  expect(await settled(clock, zombie.write([first]))).toEqual({ fenced: [] })

  // Handed over in the moment of freezing: the command waits in the queue.
  const caught = zombie.write([{ ...first, text: 'Our opening hours' }, turn(session, { id: `${session}_2`, seq: 2 })])
  clock.leap(30_000)
  ownership.epoch = 2
  const peer = createTranscript({ db: store.db }).of(tenant)
  await peer.fence(session, { epoch: 2 })
  await peer.writer({ epoch: 2 }).write([{ ...first, state: 'interrupted' }])
  const truth = await peer.ofSession(session)

  const later = zombie.write([turn(session, { id: `${session}_3`, seq: 3 })])
  const [one, two] = await settled(clock, Promise.all([caught, later]))
  expect(one.fenced.toSorted()).toEqual([`${session}_1`, `${session}_2`])
  expect(two).toEqual({ fenced: [`${session}_3`] })
  expect(await zombie.write([turn(session, { id: `${session}_4`, seq: 4 })])).toEqual({ fenced: [`${session}_4`] })
  expect(await peer.ofSession(session)).toEqual(truth)
  expect(truth).toMatchObject([{ text: 'Our opening', state: 'interrupted' }])
})

test('[T5] a process frozen for 30 s that nobody replaced asks once and goes on', async () => {
  const session = 'sess_awake'
  const clock = new LeapClock()
  const ownership = new Ownership()
  const transcript = createTranscript({ db: store.db, clock }).of(tenant)
  const writer = transcript.writer({ epoch: 1, lease: ownership.lease(clock, 1) })
  await settled(clock, writer.write([turn(session, {})]))
  expect(ownership.asked).toBe(0)
  const caught = writer.write([turn(session, { text: 'Hello again' })])
  clock.leap(30_000)
  expect(await settled(clock, caught)).toEqual({ fenced: [] })
  expect(ownership.asked).toBe(1)
  expect(await transcript.ofSession(session)).toMatchObject([{ text: 'Hello again' }])
})

test('[T3] a writer whose lease is fresh but whose turn has a later owner is told so', async () => {
  const session = 'sess_overtaken'
  const clock = new LeapClock()
  const transcript = createTranscript({ db: store.db, clock }).of(tenant)
  await settled(clock, transcript.writer({ epoch: 2 }).write([turn(session, { text: 'theirs' })]))
  const mine = await settled(clock, transcript.writer({ epoch: 1 }).write([turn(session, { text: 'mine' })]))
  expect(mine).toEqual({ fenced: [`${session}_1`] })
  expect(await transcript.ofSession(session)).toMatchObject([{ text: 'theirs' }])
})
