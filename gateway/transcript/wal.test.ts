import { fork } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ManualClock } from '../../test/harness/clock.ts'
import { systemClock } from '../platform/clock.ts'
import { asTenantId } from '../platform/ids.ts'
import { createLog } from '../platform/log.ts'
import type { Turn } from '../protocol/turn.ts'
import { openProcessWal, type WalOptions, type WalRecord } from './wal.ts'
import { machineDisk, type WalFile } from './wal-file.ts'

const record = (id: string, over: Partial<Turn> = {}, version: Partial<WalRecord> = {}): WalRecord => ({
  tenantId: asTenantId('ten_a'),
  epoch: 1,
  rev: 1,
  ...version,
  turn: {
    id,
    sessionId: 'sess_1',
    conversationId: 'conv_1',
    channel: 'widget',
    role: 'agent',
    state: 'final',
    seq: 1,
    text: `text of ${id}`,
    voice: true,
    itemId: 'item_1',
    createdAt: '2026-11-24T10:00:00.000Z',
    updatedAt: '2026-11-24T10:00:00.000Z',
    ...over,
  },
})

async function setup(over: Partial<WalOptions> = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'parley-wal-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const lines: string[] = []
  const log = createLog('info', { write: (line) => void lines.push(line) })
  const open = (more: Partial<WalOptions> = {}) => openProcessWal({ dir, log, clock: systemClock, ...over, ...more })
  return { dir, open, lines }
}

/** What the next process finds. */
async function replayed(open: () => ReturnType<typeof openProcessWal>): Promise<WalRecord[]> {
  const found: WalRecord[] = []
  const next = await open()
  await next.replay(async (records) => {
    found.push(...records)
    return 0
  })
  await next.close()
  return found
}

const filesIn = async (dir: string): Promise<string[]> => (await readdir(dir)).filter((name) => name.endsWith('.wal'))

/** A disk that does what the test says. */
class Disk {
  appendError: string | undefined
  syncError: string | undefined
  appends = 0
  syncs = 0
  readonly open = async (path: string): Promise<WalFile> => {
    const file = await machineDisk.open(path)
    return {
      ...file,
      append: async (data) => {
        this.appends++
        if (this.appendError !== undefined) throw Object.assign(new Error('disk'), { code: this.appendError })
        await file.append(data)
      },
      sync: async () => {
        this.syncs++
        if (this.syncError !== undefined) throw Object.assign(new Error('disk'), { code: this.syncError })
        await file.sync()
      },
    }
  }
}

test('[T9] the next process is handed the newest version of each turn, with tenant and epoch, and then the file is gone', async () => {
  const { dir, open } = await setup()
  const wal = await open()
  wal.put(record('a', { text: 'old' }, { rev: 1 }))
  wal.put(record('b', { tool: { name: 't', callId: 'c', arguments: '{}', state: 'ok' }, latencyMs: 3 }, { epoch: 4 }))
  wal.put(record('a', { text: 'new' }, { rev: 2 }))
  wal.put(record('a', { text: 'late' }, { rev: 1 }))
  expect(await wal.flushed()).toBe(true)
  await wal.close()
  expect(await replayed(open)).toEqual([
    record('a', { text: 'new' }, { rev: 2 }),
    record('b', { tool: { name: 't', callId: 'c', arguments: '{}', state: 'ok' }, latencyMs: 3 }, { epoch: 4 }),
  ])
  expect(await readdir(dir)).toEqual([])
  expect(await replayed(open)).toEqual([])
})

test('[T9] a file stays while the store fails, and is handed over whole at the next try', async () => {
  const { dir, open } = await setup()
  const wal = await open()
  for (let n = 0; n < 450; n++) wal.put(record(`t${n}`))
  await wal.close()
  const next = await open()
  let batches = 0
  await expect(
    next.replay(async () => {
      if (++batches === 3) throw new Error('no store')
      return 0
    }),
  ).rejects.toThrow('no store')
  await next.close()
  expect(await filesIn(dir)).toHaveLength(1)
  expect(await replayed(open)).toHaveLength(450)
})

test('[T9] the file of a living process is left alone, that of a killed one is not', async () => {
  const { open, dir } = await setup()
  const child = fork(new URL('./wal-writer.test-support.ts', import.meta.url), [dir], { stdio: 'ignore' })
  await once(child, 'message')
  expect(await replayed(open)).toEqual([])
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect((await replayed(open)).map((each) => each.turn.id)).toEqual(['of the child'])
})

test('[T10] torn and damaged lines are skipped, counted and said; what stands around them is read', async () => {
  const { dir, open, lines } = await setup()
  const wal = await open()
  for (const id of ['a', 'b', 'c']) wal.put(record(id))
  await wal.close()
  const path = join(dir, (await filesIn(dir))[0] ?? '')
  const text = await readFile(path, 'utf8')
  await writeFile(path, text.replace('text of b', 'test of b'))
  await appendFile(path, text.split('\n')[0]?.slice(0, 60) ?? '')
  const found: string[] = []
  const next = await open()
  const report = await next.replay(async (records) => {
    found.push(...records.map((each) => each.turn.id))
    return 1
  })
  await next.close()
  expect(found).toEqual(['a', 'c'])
  expect(report).toEqual({ files: 1, turns: 2, fenced: 1, damaged: 2 })
  expect(lines.some((line) => line.includes('wal_damaged') && line.includes('"lines":2'))).toBe(true)
})

test('[T10] a file cut at any byte gives every whole line before the cut', async () => {
  const { dir, open } = await setup()
  const wal = await open()
  for (const id of ['a', 'b', 'ä🎧']) wal.put(record(id))
  await wal.close()
  const path = join(dir, (await filesIn(dir))[0] ?? '')
  const whole = await readFile(path)
  for (let cut = 0; cut <= whole.length; cut += 17) {
    await writeFile(path, whole.subarray(0, cut))
    const before =
      whole
        .subarray(0, cut + 1)
        .toString()
        .split('\n').length - 1
    const found = await replayed(open)
    expect(found.length).toBeGreaterThanOrEqual(before)
    expect(found.length - before).toBeLessThanOrEqual(1)
  }
})

test('[T7] when everything is stored the file is empty, and gone at the end', async () => {
  const { dir, open } = await setup()
  const wal = await open()
  wal.put(record('a'))
  wal.put(record('b'))
  await wal.flushed()
  const path = join(dir, (await filesIn(dir))[0] ?? '')
  expect((await stat(path)).size).toBeGreaterThan(0)
  wal.done('a', 1)
  await wal.flushed()
  expect((await stat(path)).size).toBeGreaterThan(0)
  wal.done('b', 1)
  await wal.flushed()
  expect((await stat(path)).size).toBe(0)
  wal.put(record('c'))
  await wal.flushed()
  expect(await readFile(path, 'utf8')).toContain('text of c')
  wal.done('c', 1)
  await wal.close()
  expect(await readdir(dir)).toEqual([])
})

test('[T7] 1,000 turns put at once cost one sync, and what comes during a sync is not forgotten', async () => {
  const disk = new Disk()
  const { open } = await setup({ disk: { ...machineDisk, open: disk.open } })
  const wal = await open()
  for (let n = 0; n < 1_000; n++) wal.put(record(`t${n}`, { sessionId: `sess_${n}` }))
  await wal.flushed()
  expect(disk.syncs).toBe(1)
  for (let n = 0; n < 200; n++) {
    wal.put(record(`u${n}`, { sessionId: `sess_u${n}` }))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await wal.flushed()
  await wal.close()
  expect(await replayed(open)).toHaveLength(1_200)
})

test('[T7] a turn is on disk without anybody asking', async () => {
  const { dir, open } = await setup()
  const wal = await open()
  wal.put(record('a'))
  await expect
    .poll(async () => readFile(join(dir, (await filesIn(dir))[0] ?? ''), 'utf8'), { interval: 10 })
    .toContain('text of a')
  await wal.close()
})

test('[T7] a turn that comes in any moment of the end of a sync is on disk without anybody asking', async () => {
  for (let depth = 0; depth < 14; depth++) {
    const late = async (): Promise<void> => {
      for (let n = 0; n < depth; n++) await undefined
      wal.put(record('late'))
    }
    let isFirst = true
    const { dir, open } = await setup({
      disk: {
        ...machineDisk,
        async open(path) {
          const file = await machineDisk.open(path)
          return {
            ...file,
            async sync() {
              await file.sync()
              if (isFirst) void late()
              isFirst = false
            },
          }
        },
      },
    })
    const wal = await open()
    wal.put(record('first'))
    await expect
      .poll(async () => readFile(join(dir, (await filesIn(dir))[0] ?? ''), 'utf8'), { interval: 10 })
      .toContain('text of late')
    await wal.close()
  }
})

test('[T8] superseded versions do not pile up: a turn written 20,000 times takes the room of a few', async () => {
  const { dir, open } = await setup()
  const wal = await open()
  for (let n = 0; n < 20_000; n++) {
    wal.put(record('a', { text: `${n} ${'x'.repeat(200)}` }, { rev: n + 1 }))
    if (n % 500 === 0) await wal.flushed()
  }
  await wal.flushed()
  const { size } = await stat(join(dir, (await filesIn(dir))[0] ?? ''))
  expect(size).toBeLessThan(1_500_000)
  await wal.close()
  expect(await replayed(open)).toMatchObject([{ rev: 20_000 }])
})

test.each([
  [3, ['decided 1', 'decided 2', 'other', 'decided 3']],
  [4, ['decided 2', 'other', 'decided 3', 'decided 4']],
])(
  '[T8] a session at its cap loses its oldest partial turns first, then its oldest, and the log says so: %i decided',
  async (decided, left) => {
    const { open, lines } = await setup({ caps: { sessionBytes: 3_500, totalBytes: 1_000_000 } })
    const wal = await open()
    const text = 'x'.repeat(700)
    wal.put(record('decided 1', { text }))
    wal.put(record('partial 1', { text, state: 'partial' }))
    wal.put(record('partial 2', { text, state: 'partial' }))
    wal.put(record('decided 2', { text }))
    wal.put(record('other', { text, sessionId: 'sess_other', state: 'partial' }))
    for (let n = 3; n <= decided; n++) wal.put(record(`decided ${n}`, { text }))
    await wal.close()
    expect((await replayed(open)).map((each) => each.turn.id)).toEqual(left)
    expect(lines.filter((line) => line.includes('wal_dropped') && line.includes('"level":"error"'))).not.toHaveLength(0)
  },
)

test('[T8] all sessions together never exceed the total cap, no session should begin at it, and room makes it well again', async () => {
  const clock = new ManualClock()
  const { open, lines } = await setup({ clock, caps: { sessionBytes: 100_000, totalBytes: 20_000 } })
  const wal = await open()
  for (let n = 0; n < 200; n++)
    wal.put(record(`t${n}`, { sessionId: `sess_${n}`, state: n % 2 === 0 ? 'partial' : 'final' }))
  expect(wal.healthy).toBe(false)
  await wal.flushed()
  await clock.advance(1_000)
  const said = lines
    .filter((line) => line.includes('wal_dropped'))
    .map((line) => Number(/"turns":(\d+)/.exec(line)?.[1]))
  for (let n = 0; n < 200; n++) wal.done(`t${n}`, 1)
  expect(wal.healthy).toBe(true)
  await wal.flushed()
  wal.put(record('last'))
  await wal.close()
  expect((await replayed(open)).map((each) => each.turn.id)).toEqual(['last'])
  expect(said.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(100)
  expect(said.length).toBeLessThanOrEqual(2)
})

test('[T11] a full disk: not healthy, said, tried again, and whole when there is room', async () => {
  const disk = new Disk()
  const clock = new ManualClock()
  const { open, lines } = await setup({ disk: { ...machineDisk, open: disk.open }, clock })
  const wal = await open()
  disk.appendError = 'ENOSPC'
  wal.put(record('a'))
  expect(await wal.flushed()).toBe(false)
  wal.put(record('b'))
  expect(wal.healthy).toBe(false)
  expect(lines.some((line) => line.includes('wal_disk_full') && line.includes('"level":"error"'))).toBe(true)
  await clock.advance(3_500)
  expect(await wal.flushed()).toBe(false)
  expect(disk.appends).toBeGreaterThan(2)
  disk.appendError = undefined
  await clock.advance(1_000)
  expect(await wal.flushed()).toBe(true)
  expect(wal.healthy).toBe(true)
  await wal.close()
  expect((await replayed(open)).map((each) => each.turn.id)).toEqual(['a', 'b'])
})

test.each(['EIO', 'ENOSPC'])(
  '[T11] after a sync that failed with %s the log is not used any more, said once, never synced again',
  async (code) => {
    const disk = new Disk()
    const failures: unknown[] = []
    const { open, lines } = await setup({
      disk: { ...machineDisk, open: disk.open },
      onFailure: (error) => failures.push(error),
    })
    const wal = await open()
    disk.syncError = code
    wal.put(record('a'))
    expect(await wal.flushed()).toBe(false)
    disk.syncError = undefined
    wal.put(record('b'))
    expect(await wal.flushed()).toBe(false)
    expect([wal.healthy, disk.syncs, failures.length]).toEqual([false, 1, 1])
    expect(lines.filter((line) => line.includes('wal_failed') && line.includes('"level":"fatal"'))).toHaveLength(1)
    await wal.close()
  },
)

test('[T11] what a full disk kept off it is on disk after all when there is room at the end', async () => {
  const disk = new Disk()
  const { open } = await setup({ disk: { ...machineDisk, open: disk.open }, clock: new ManualClock() })
  const wal = await open()
  disk.appendError = 'ENOSPC'
  wal.put(record('a'))
  expect(await wal.flushed()).toBe(false)
  disk.appendError = undefined
  await wal.close()
  expect((await replayed(open)).map((each) => each.turn.id)).toEqual(['a'])
})
