import { pino } from 'pino'
import { expect, test } from 'vitest'
import { ManualClock } from '../../test/harness/clock.ts'
import { asTenantId } from '../platform/ids.ts'
import { createJobs } from './jobs.ts'

const none = { closed: 0, settled: 0, failed: 0 }

function place(
  nightly: () => Promise<readonly { tenantId: ReturnType<typeof asTenantId>; message: string }[] | undefined>,
) {
  const clock = new ManualClock()
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const ran = { janitor: 0, flush: 0, nightly: 0, replay: 0 }
  const jobs = createJobs({
    clock,
    log,
    sessions: {
      async closeStale() {
        ran.janitor++
        return none
      },
    },
    tools: { sweepJobs: async () => 0 },
    entities: { repair: async () => 0 },
    chat: { sweep: async () => ({ answered: 0, failed: 0 }) },
    approvals: { sweep: async () => ({ looked: 0 }) },
    knowledge: { work: async () => 0 },
    webhooks: { sweep: async () => undefined },
    effects: { sequences: { sendDue: async () => ({ sent: 0, held: 0 }) } },
    transcript: {
      async replay() {
        ran.replay++
        return { files: 0, turns: 0, fenced: 0, damaged: 0 }
      },
    },
    ledger: {
      async flush() {
        ran.flush++
        return 0
      },
      nightly() {
        ran.nightly++
        return nightly()
      },
    },
  })
  return { clock, lines, ran, jobs }
}

test('a finding of the nightly walk is an error that a person must see, with its tenant', async () => {
  const { clock, lines, jobs } = place(async () => [{ tenantId: asTenantId('ten_1'), message: 'entries give 5' }])
  jobs.start()
  await clock.advance(600_000)
  expect(lines.filter(({ level }) => level === 50)).toMatchObject([{ tenantId: 'ten_1', finding: 'entries give 5' }])
  await jobs.drain()
})

test('a night that another process took, or that holds, is no error; jobs that fail run again', async () => {
  let turn = 0
  const { clock, lines, ran, jobs } = place(async () => {
    turn++
    if (turn === 1) throw new Error('store down')
    return turn === 2 ? undefined : []
  })
  jobs.start()
  await clock.advance(1_800_000)
  expect(ran.nightly).toBe(3)
  expect(lines.filter(({ level }) => level === 50)).toEqual([])
  expect(lines.filter(({ level }) => level === 40)).toMatchObject([{ job: 'nightly' }])
  expect(ran.flush).toBeGreaterThan(800)
  await jobs.drain()
  const before = { ...ran }
  await clock.advance(1_800_000)
  expect(ran).toEqual(before)
})
