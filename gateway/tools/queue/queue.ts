// Work of a tenant that is done later, or longer than a conversation waits: kept until it is over, taken by one process at a time,
// tried again with growing patience. What a job does must harm nobody when it is done twice: its process may die behind it.

import type { Db } from 'mongodb'
import type { Actor } from '../../platform/access.ts'
import type { Clock } from '../../platform/clock.ts'
import type { TenantId } from '../../platform/ids.ts'
import type { Log } from '../../platform/log.ts'
import { Problem } from '../../platform/problem.ts'
import { jobStore, type QueuedJob } from './store.ts'

export type { QueuedJob } from './store.ts'

/** Does one job; what it returns is kept as its result. A Problem that is nobody's error ends it, anything else is tried again. */
export type JobHandler = (job: QueuedJob) => Promise<Readonly<Record<string, unknown>>>

export interface NewJob {
  readonly kind: string
  readonly payload: Readonly<Record<string, unknown>>
  readonly actor: Actor
  /** Missing: at once. */
  readonly dueAt?: Date | undefined
  readonly key: string
}

export interface Queue {
  enqueue(tenantId: TenantId, job: NewJob): Promise<QueuedJob>
  find(tenantId: TenantId, id: string): Promise<QueuedJob | undefined>
  /** Does what is due, a few at a time; returns how many. */
  sweep(): Promise<number>
}

/** Longer than any job here takes. */
const leaseMs = 60_000
const maxAttempts = 5
const firstPatienceMs = 2_000
/** At once, in one sweep: others come with the next one. */
const perSweep = 20

export function createQueue(deps: {
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
  readonly handlers: ReadonlyMap<string, JobHandler>
}): Queue {
  const store = jobStore.open(deps.db)
  const { clock, log, handlers } = deps

  async function perform(job: QueuedJob): Promise<void> {
    try {
      const handler = handlers.get(job.kind)
      if (handler === undefined) throw new Problem('unsupported', 'Nobody here does such jobs any more.')
      await store.end(job, { state: 'done', result: await handler(job), endedAt: new Date(clock.now()) })
    } catch (error) {
      const isFinal = error instanceof Problem && error.kind.level !== 'error' && error.kind.retry === 'never'
      const told = error instanceof Problem ? error.message : 'It does not work right now.'
      if (!isFinal) log.warn({ err: error, tenantId: job.tenantId, job: job.kind }, 'a job failed')
      const againMs = clock.now() + firstPatienceMs * 4 ** (job.attempts - 1)
      if (isFinal || job.attempts >= maxAttempts)
        await store.end(job, { state: 'failed', error: told, endedAt: new Date(clock.now()) })
      else await store.end(job, { againAt: new Date(againMs), error: told })
    }
  }

  return {
    async enqueue(tenantId, { kind, payload, actor, dueAt, key }) {
      const now = new Date(clock.now())
      const { kind: of, id, name } = actor
      const job = { kind, payload, actor: { kind: of, id, name }, dueAt: dueAt ?? now, createdAt: now }
      const jobId = await store.put(tenantId, key, job)
      const found = await store.find(tenantId, jobId)
      if (found === undefined) throw new Error('a job that was just kept is not there')
      return found
    },
    find: (tenantId, id) => store.find(tenantId, id),
    async sweep() {
      for (let done = 0; done < perSweep; done++) {
        const job = await store.take(new Date(clock.now()), new Date(clock.now() + leaseMs))
        if (job === undefined) return done
        await perform(job)
      }
      return perSweep
    },
  }
}
