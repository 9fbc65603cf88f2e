// Time as a driver: what happens without anybody asking. Each job runs alone in its process and survives its errors.

import type { Ledger } from '../ledger/ledger.ts'
import type { Clock, Timer } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Sessions } from '../sessions/sessions.ts'

export interface Jobs {
  start(): void
  /** Resolves when the runs in progress are over. */
  drain(): Promise<void>
}

const janitorEveryMs = 10_000
/** Entries wait in their account's outbox until they are moved; balances are right all the time. */
const flushEveryMs = 2_000

export function createJobs(deps: {
  readonly clock: Clock
  readonly log: Log
  readonly sessions: Sessions
  readonly ledger: Ledger
}): Jobs {
  const timers: Timer[] = []
  const running = new Map<string, Promise<void>>()
  const run = (name: string, work: () => Promise<unknown>): void => {
    if (running.has(name)) return
    const done = work()
      .then(
        () => undefined,
        (error: unknown) => deps.log.warn({ err: error, job: name }, 'job failed, it will run again'),
      )
      .finally(() => running.delete(name))
    running.set(name, done)
  }
  const janitor = async (): Promise<void> => {
    const report = await deps.sessions.closeStale()
    if (report.closed + report.settled + report.failed > 0) deps.log.info(report, 'janitor')
  }
  return {
    start() {
      timers.push(
        deps.clock.every(janitorEveryMs, () => run('janitor', janitor)),
        deps.clock.every(flushEveryMs, () => run('flush', () => deps.ledger.flush())),
      )
      // What a dead process left is not made to wait for the first tick.
      run('janitor', janitor)
    },
    async drain() {
      for (const timer of timers.splice(0)) timer.cancel()
      await Promise.all(running.values())
    },
  }
}
