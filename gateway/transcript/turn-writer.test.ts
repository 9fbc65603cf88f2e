import { expect, test } from 'vitest'
import { ManualClock } from '../../test/harness/clock.ts'
import { asTenantId } from '../platform/ids.ts'
import type { Turn } from '../protocol/turn.ts'
import type { Outcome, TurnWrite } from './turn-store.ts'
import { createTurnWriter, type Lease } from './turn-writer.ts'
import type { Wal, WalRecord } from './wal.ts'

const turn = (over: Partial<Turn> = {}): Turn => ({
  id: 'a',
  sessionId: 'sess_1',
  conversationId: 'conv_1',
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

/** A store that answers when and how the test says. */
class ScriptedStore {
  readonly writes: TurnWrite[] = []
  readonly #open: PromiseWithResolvers<readonly Outcome[] | undefined>[] = []
  /** Answers at once instead. */
  fails = false

  readonly write = (write: TurnWrite): Promise<readonly Outcome[] | undefined> => {
    this.writes.push(write)
    if (this.fails) return Promise.reject(new Error('no store'))
    const answer = Promise.withResolvers<readonly Outcome[] | undefined>()
    this.#open.push(answer)
    return answer.promise
  }

  get texts(): string[][] {
    return this.writes.map((write) => write.versions.map((version) => version.turn.text))
  }

  /** Answers the oldest open write. */
  async answer(is: 'stored' | 'unsent' = 'stored'): Promise<void> {
    const last = this.writes.at(-1)
    this.#open.shift()?.resolve(is === 'unsent' ? undefined : last?.versions.map(() => ({ is })))
    await new Promise((resolve) => setImmediate(resolve))
  }
}

class RecordingWal implements Wal {
  readonly healthy = true
  readonly alive = new Map<string, WalRecord>()
  puts = 0
  put(record: WalRecord): void {
    this.puts++
    this.alive.set(record.turn.id, record)
  }
  done(turnId: string, rev: number): void {
    if ((this.alive.get(turnId)?.rev ?? Number.POSITIVE_INFINITY) <= rev) this.alive.delete(turnId)
  }
  flushed = async () => true
  replay = async () => ({ files: 0, turns: 0, fenced: 0, damaged: 0 })
  close = async () => {}
}

function setup(lease?: Lease) {
  const clock = new ManualClock()
  const store = new ScriptedStore()
  const wal = new RecordingWal()
  const attempts: unknown[] = []
  let rev = 0
  const writer = createTurnWriter(lease === undefined ? { epoch: 3 } : { epoch: 3, lease }, {
    clock,
    tenantId: asTenantId('ten_a'),
    nextRev: () => ++rev,
    store: store.write,
    wal,
    onAttempt: (error) => attempts.push(error),
  })
  return { clock, store, wal, writer, attempts }
}

function watch<T>(promise: Promise<T>): { value: T | undefined } {
  const seen: { value: T | undefined } = { value: undefined }
  void promise.then((value) => {
    seen.value = value
  })
  return seen
}

test('[T6] done is said when the version is stored, not when it was sent, and for a superseded one when its successor is', async () => {
  const { store, writer } = setup()
  const first = watch(writer.write([turn()]))
  const second = watch(writer.write([turn({ text: 'Hello there' })]))
  await store.answer()
  expect([first.value, second.value]).toEqual([undefined, undefined])
  expect(store.texts).toEqual([['Hello'], ['Hello there']])
  await store.answer()
  expect([first.value, second.value]).toEqual([{ fenced: [] }, { fenced: [] }])
  expect(writer.waiting).toBe(0)
})

test('[T6] a store that fails for a minute is tried again until it takes the turns, newest versions only', async () => {
  const { clock, store, writer, attempts } = setup()
  store.fails = true
  const done = watch(writer.write([turn(), turn({ id: 'b', text: 'B' })]))
  await clock.advance(30_000)
  const later = watch(writer.write([turn({ text: 'Hello there' })]))
  await clock.advance(30_000)
  expect([done.value, later.value]).toEqual([undefined, undefined])
  store.fails = false
  const before = store.writes.length
  await clock.advance(600)
  await store.answer()
  expect(store.texts.slice(before)).toEqual([['Hello there', 'B']])
  expect([done.value, later.value]).toEqual([{ fenced: [] }, { fenced: [] }])
  expect(attempts.length).toBeGreaterThan(50)
  expect(attempts.at(-1)).toBeUndefined()
})

test('[T7] nothing goes to disk while the store answers within a second', async () => {
  const { clock, store, writer, wal } = setup()
  for (let n = 0; n < 10; n++) {
    const done = watch(writer.write([turn({ text: `${n}` })]))
    await clock.advance(900)
    await store.answer()
    expect(done.value).toEqual({ fenced: [] })
  }
  await clock.advance(5_000)
  expect(wal.puts).toBe(0)
})

test('[T7] what a silent store has not taken after a second is on disk, later turns too, and leaves it when stored', async () => {
  const { clock, store, writer, wal } = setup()
  void writer.write([turn()])
  await clock.advance(1_000)
  expect([...wal.alive.keys()]).toEqual(['a'])
  void writer.write([turn({ id: 'b', text: 'B' })])
  await clock.advance(1_000)
  expect([...wal.alive.keys()]).toEqual(['a', 'b'])
  expect(wal.alive.get('b')).toMatchObject({ tenantId: 'ten_a', epoch: 3, turn: { text: 'B' } })
  await store.answer()
  expect([...wal.alive.keys()]).toEqual(['b'])
  await store.answer()
  expect(wal.alive.size).toBe(0)
})

test('[T7] what comes while the store refuses goes to disk at once', async () => {
  const { clock, store, writer, wal } = setup()
  store.fails = true
  void writer.write([turn()])
  await clock.advance(0)
  expect(wal.alive.get('a')?.turn.text).toBe('Hello')
  void writer.write([turn({ text: 'Hello there' })])
  expect(wal.alive.get('a')?.turn.text).toBe('Hello there')
})

test('[T5] a lease that cannot be confirmed sends nothing, keeps the turns on disk and is asked for again and again', async () => {
  const asked: PromiseWithResolvers<boolean>[] = []
  let confirmedAtMs = -20_000
  const lease: Lease = {
    confirmedAtMs: () => confirmedAtMs,
    confirm() {
      const question = Promise.withResolvers<boolean>()
      asked.push(question)
      return question.promise
    },
  }
  const { clock, store, writer, wal } = setup(lease)
  const done = watch(writer.write([turn()]))
  await clock.advance(20_000)
  // Every 3 s, a pause between: not at once, and not once for ever.
  expect(asked.length).toBeGreaterThan(4)
  expect(asked.length).toBeLessThan(8)
  expect(store.writes).toHaveLength(0)
  expect([...wal.alive.keys()]).toEqual(['a'])
  confirmedAtMs = clock.monotonicMs()
  asked.at(-1)?.resolve(true)
  await clock.advance(600)
  await store.answer()
  expect(done.value).toEqual({ fenced: [] })
  expect(wal.alive.size).toBe(0)
})

test('[T5] a session that has another owner leaves nothing on disk either', async () => {
  const { clock, store, writer, wal } = setup({ confirmedAtMs: () => -20_000, confirm: async () => false })
  store.fails = true
  const done = watch(writer.write([turn(), turn({ id: 'b' })]))
  await clock.advance(3_000)
  expect(done.value?.fenced).toEqual(['a', 'b'])
  expect([store.writes.length, wal.alive.size, writer.waiting]).toEqual([0, 0, 0])
})

test('[T5] a lease that grew old while the command waited is confirmed before it is sent after all', async () => {
  let confirmedAtMs = 0
  let asked = 0
  const { clock, store, writer } = setup({
    confirmedAtMs: () => confirmedAtMs,
    confirm: async () => {
      asked++
      confirmedAtMs = clock.monotonicMs()
      return true
    },
  })
  const done = watch(writer.write([turn()]))
  await clock.advance(15_000)
  expect(store.writes[0]?.mayGo?.()).toBe(false)
  await store.answer('unsent')
  expect([asked, store.writes.length]).toEqual([1, 2])
  expect(store.writes[1]?.mayGo?.()).toBe(true)
  await store.answer()
  expect(done.value).toEqual({ fenced: [] })
})
