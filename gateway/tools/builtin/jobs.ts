// Jobs: what is to happen later, and what became of it.

import { z } from 'zod'
import type { Entities } from '../../entities/entities.ts'
import type { Events } from '../../events/events.ts'
import type { AuthContext } from '../../platform/access.ts'
import type { Clock } from '../../platform/clock.ts'
import type { TenantId } from '../../platform/ids.ts'
import { found, Problem } from '../../platform/problem.ts'
import type { JobHandler, Queue, QueuedJob } from '../queue/queue.ts'
import { type BuiltinTool, builtin } from '../tool.ts'

export interface JobDeps {
  readonly queue: Queue
  readonly entities: Entities
  readonly clock: Clock
}

const emitted = z.strictObject({
  type: z.string().min(1).max(80),
  entity: z.strictObject({ type: z.string().max(40), id: z.string().max(80) }).optional(),
  payload: z.looseObject({}).optional(),
})
const indexed = z.strictObject({ type: z.string().min(1).max(40) })

/** Every kind there is: what it takes, and what whoever asks for it must be allowed. */
const kinds = {
  'event.emit': { schema: emitted, ability: 'events.write' },
  'entity.reindex': { schema: indexed, ability: 'entity-types.write' },
} as const
const names = Object.keys(kinds) as (keyof typeof kinds)[]

/** `at` most a month ahead: the queue is no calendar. */
const maxDelayMs = 31 * 86_400_000

export function jobTools(deps: JobDeps): readonly BuiltinTool[] {
  return [enqueue(deps), status(deps)]
}

function enqueue({ queue, entities, clock }: JobDeps): BuiltinTool {
  return builtin(
    {
      ...{ name: 'job_enqueue', kind: 'job.enqueue', category: 'records', readOnly: false, retry: 'keyed' },
      description:
        'Has something done later: event.emit writes an event into the log ({type, entity?, payload?}), entity.reindex makes the search of a type anew ({type}).',
    },
    z.strictObject({
      kind: z.enum(names),
      payload: z.looseObject({}),
      delaySeconds: z
        .int()
        .min(0)
        .max(maxDelayMs / 1_000)
        .describe('From now; default 0')
        .optional(),
    }),
    async ({ kind, payload, delaySeconds = 0 }, { tenantId, auth, key }) => {
      const caller = await auth()
      const { schema, ability } = kinds[kind]
      if (!caller.may(ability)) throw new Problem('forbidden')
      const parsed = schema.safeParse(payload)
      if (!parsed.success)
        throw new Problem('invalid', `The payload does not fit ${kind}.`, {
          issues: parsed.error.issues.map((each) => ({
            path: `payload.${each.path.join('.')}`,
            message: each.message,
          })),
        })
      const about = emitted.safeParse(payload).data?.entity
      if (about !== undefined && (await entities.unseen(caller, [about])).size > 0) throw new Problem('not_found')
      const dueAt = new Date(clock.now() + delaySeconds * 1_000)
      return {
        job: shown(await queue.enqueue(tenantId, { kind, payload: parsed.data, actor: caller.actor, dueAt, key })),
      }
    },
  )
}

function status({ queue }: JobDeps): BuiltinTool {
  return builtin(
    {
      ...{ name: 'job_status', kind: 'job.status', category: 'records', readOnly: true },
      description: 'Tells whether a job waits, runs, is done or has failed, with its result.',
    },
    z.strictObject({ id: z.string().min(1).max(80) }),
    async ({ id }, { tenantId, auth }) => {
      const caller = await auth()
      const job = found(await queue.find(tenantId, id))
      // Somebody else's is not told of to those who may not read the log, where its events will stand.
      if (job.actor.id !== caller.actor.id && !caller.may('events.read')) throw new Problem('not_found')
      return { job: shown(job) }
    },
  )
}

const shown = ({ id, kind, state, attempts, dueAt, result, error }: QueuedJob) => ({
  ...{ id, kind, state, attempts, dueAt: dueAt.toISOString(), result, error },
})

/** What the kinds do. `everything`: the gateway's own rights, in the name of whoever asked. */
export function jobHandlers(deps: {
  readonly entities: Entities
  readonly events: Events
  readonly everything: (tenantId: TenantId) => AuthContext
}): ReadonlyMap<string, JobHandler> {
  return new Map<string, JobHandler>([
    [
      'event.emit',
      async ({ id, tenantId, actor, payload }) => {
        const auth = { ...deps.everything(tenantId), actor }
        const event = await deps.events
          .of(tenantId)
          .as(auth)
          .emit({ ...emitted.parse(payload), key: `job:${id}` })
        return { eventId: event.id }
      },
    ],
    [
      'entity.reindex',
      async ({ tenantId, payload }) => ({
        reindexed: await deps.entities.of(tenantId).reindex(indexed.parse(payload).type),
      }),
    ],
  ])
}
