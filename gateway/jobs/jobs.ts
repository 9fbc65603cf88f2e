// Time as a driver: what happens without anybody asking. Each job runs alone in its process and survives its errors.

import type { Chat } from '../chat/chat.ts'
import type { Entities } from '../entities/entities.ts'
import type { Knowledge } from '../knowledge/knowledge.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Clock, Timer } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Approvals, Sequences, Tools } from '../tools/tools.ts'
import type { Transcript } from '../transcript/transcript.ts'
import type { Webhooks } from '../webhooks/webhooks.ts'

export interface Jobs {
  start(): void
  /** Resolves when the runs in progress are over. */
  drain(): Promise<void>
}

const janitorEveryMs = 10_000
/** Entries wait in their account's outbox until they are moved; balances are right all the time. */
const flushEveryMs = 2_000
/** How often a process asks whether the night's walk over the ledger is still to be done. */
const nightlyEveryMs = 600_000
/** A process that shares the data folder may have died, or the store was down when this one started. */
const replayEveryMs = 60_000
/** Changes of entities whose events somebody died over. */
const repairEveryMs = 15_000
/** A lease of a message whose process died runs out after 10 s. */
const sweepEveryMs = 5_000
/** What was approved runs 5 s later, wherever: a process that died over it is not noticed sooner than its lease ends. */
const approvalsEveryMs = 2_000
/** Tenants' own jobs that are due. */
const queueEveryMs = 1_000
/** Sources that another process took in, or died over. */
const readEveryMs = 2_000
/** The first pause after a failure. What is new goes out at once. */
const webhooksEveryMs = 5_000
/** A step that is due now is sent within this. */
const sequencesEveryMs = 5_000

export function createJobs(deps: {
  readonly clock: Clock
  readonly log: Log
  readonly sessions: Pick<Sessions, 'closeStale'>
  readonly ledger: Pick<Ledger, 'flush' | 'nightly'>
  readonly transcript: Pick<Transcript, 'replay'>
  readonly entities: Pick<Entities, 'repair'>
  readonly chat: Pick<Chat, 'sweep'>
  readonly approvals: Pick<Approvals, 'sweep'>
  readonly tools: Pick<Tools, 'sweepJobs'>
  readonly knowledge: Pick<Knowledge, 'work'>
  readonly webhooks: Pick<Webhooks, 'sweep'>
  readonly effects: { readonly sequences: Pick<Sequences, 'sendDue'> }
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
  const replay = async (): Promise<void> => {
    const report = await deps.transcript.replay()
    if (report.files > 0) deps.log.info({ event: 'wal_replayed', ...report })
  }
  const sweep = async (): Promise<void> => {
    const report = await deps.chat.sweep()
    if (report.answered + report.failed > 0) deps.log.info({ event: 'messages_resumed', ...report })
  }
  const nightly = async (): Promise<void> => {
    const findings = await deps.ledger.nightly()
    for (const { tenantId, message } of findings ?? [])
      deps.log.error({ tenantId, finding: message }, 'the ledger does not replay: this tenant spends nothing new')
    if (findings !== undefined) deps.log.info({ findings: findings.length }, 'ledger replayed')
  }
  return {
    start() {
      timers.push(
        deps.clock.every(janitorEveryMs, () => run('janitor', janitor)),
        deps.clock.every(repairEveryMs, () => run('repair', () => deps.entities.repair())),
        deps.clock.every(flushEveryMs, () => run('flush', () => deps.ledger.flush())),
        deps.clock.every(replayEveryMs, () => run('replay', replay)),
        deps.clock.every(sweepEveryMs, () => run('sweep', sweep)),
        deps.clock.every(approvalsEveryMs, () => run('approvals', () => deps.approvals.sweep())),
        deps.clock.every(readEveryMs, () => run('read', () => deps.knowledge.work())),
        deps.clock.every(queueEveryMs, () => run('queue', () => deps.tools.sweepJobs())),
        deps.clock.every(webhooksEveryMs, () => run('webhooks', () => deps.webhooks.sweep())),
        deps.clock.every(sequencesEveryMs, () => run('sequences', () => deps.effects.sequences.sendDue())),
        deps.clock.every(nightlyEveryMs, () => run('nightly', nightly)),
      )
      // What a dead process left is not made to wait for the first tick.
      run('janitor', janitor)
      run('replay', replay)
    },
    async drain() {
      for (const timer of timers.splice(0)) timer.cancel()
      await Promise.all(running.values())
    },
  }
}
