// Workflows that agents may start on the tenant's automation server. Each start is a record, written before anything is sent: an
// attempt that finds one begun by another attempt sends nothing, because the server knows no keys.

import type { Entities, TemplateData } from '../../entities/entities.ts'
import type { Events } from '../../events/events.ts'
import type { AuthContext } from '../../platform/access.ts'
import type { Clock } from '../../platform/clock.ts'
import { idOf } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'
import type { EntityView } from '../../protocol/records.ts'
import type { Triggered } from '../providers/n8n.ts'
import type { Providers } from '../providers/providers.ts'
import type { JsonObject } from '../tool.ts'

export interface Start {
  /** Id, slug or name of the workflow. */
  readonly workflow: string
  readonly payload: JsonObject
  readonly agent: { readonly id: string; readonly name: string }
  readonly contactId?: string | undefined
  readonly channel?: string | undefined
  readonly conversationId?: string | undefined
}

export interface StartBy {
  readonly auth: AuthContext
  readonly key: string
  readonly signal: AbortSignal
}

export interface Run {
  readonly id: string
  readonly workflow: string
  readonly status: TemplateData<'workflow-run'>['status']
  readonly answer?: unknown
  readonly reason?: string | undefined
  readonly startedAt?: string | undefined
}

export interface Workflows {
  list(auth: AuthContext): Promise<readonly object[]>
  /** `unknown` in the answer: it may have run. `unsupported` without a server, `not_found`, `invalid` for a payload that lacks something. */
  trigger(start: Start, by: StartBy): Promise<Run>
  run(auth: AuthContext, id: string): Promise<Run>
}

export interface WorkflowsDeps {
  readonly entities: Entities
  readonly events: Events
  readonly providers: Pick<Providers, 'workflows'>
  readonly clock: Clock
}

export function createWorkflows(deps: WorkflowsDeps): Workflows {
  const records = (auth: AuthContext) => deps.entities.of(auth.tenantId).as(auth)
  return {
    async list(auth) {
      const workflows = records(auth).template('workflow')
      const { items } = await workflows.list({ where: { isActive: true }, limit: 50 })
      return items.map((view) => {
        const { name, description = '', requires } = workflows.read(view)
        return { id: view.id, name, description, requires }
      })
    },
    trigger: (start, by) => trigger(deps, start, by),
    async run(auth, id) {
      const runs = records(auth).template('workflow-run')
      const view = await runs.get(id)
      return told(view, runs.read(view))
    },
  }
}

async function trigger(deps: WorkflowsDeps, start: Start, { auth, key, signal }: StartBy): Promise<Run> {
  const { tenantId } = auth
  const { view: workflow, data } = await workflowOf(deps, auth, start.workflow)
  const missing = data.requires.filter((name) => start.payload[name] === undefined)
  if (missing.length > 0)
    throw new Problem('invalid', 'The workflow needs more.', {
      issues: missing.map((name) => ({ path: `payload.${name}`, message: 'is missing' })),
    })
  const server = await deps.providers.workflows(tenantId)
  if (server === undefined) throw new Problem('unsupported', 'No automation server is connected here.')
  const { workflow: _, agent, payload, ...origin } = start
  const runs = deps.entities.of(tenantId).as(auth).template('workflow-run')
  const about = JSON.parse(JSON.stringify(origin))
  const made = await runs.create({
    key,
    data: { workflowId: workflow.id, workflowName: data.name, payload, ...about },
  })
  let isMine = false
  const startedAt = new Date(deps.clock.now()).toISOString()
  const begun = await runs.change(made.id, ({ status }) => {
    isMine = status === 'queued'
    if (isMine) return { status: 'running', startedAt }
    const isLost = status === 'running'
    return isLost
      ? { status: 'unknown', reason: 'somebody began to start it, and it is not known what came of that' }
      : undefined
  })
  if (!isMine) return told(begun, runs.read(begun))
  const body = { id: made.id, key, workflow: data.name, requestedAt: startedAt, agent, ...about, payload }
  const answer = await server.trigger({ path: data.path, payload: body, key, signal })
  const endedAt = new Date(deps.clock.now()).toISOString()
  const view = await runs.change(made.id, ({ status }) =>
    status === 'running' ? { ...outcomeOf(answer), endedAt } : undefined,
  )
  const run = told(view, runs.read(view))
  await deps.events.of(tenantId).emit({
    ...{ id: idOf('evt', tenantId, view.id, run.status), type: `workflow.${run.status}`, actor: auth.actor },
    entity: { type: 'workflow-run', id: view.id },
    payload: { workflow: data.name },
  })
  return run
}

async function workflowOf({ entities }: WorkflowsDeps, auth: AuthContext, key: string) {
  const workflows = entities.of(auth.tenantId).as(auth).template('workflow')
  const named = await workflows.list({ where: { name: key }, limit: 1 })
  const view = named.items[0] ?? (await workflows.get(key))
  const data = workflows.read(view)
  if (!data.isActive) throw new Problem('unsupported', 'This workflow is switched off.')
  return { view, data }
}

function outcomeOf(answer: Triggered): object {
  if (answer.is === 'done') return { status: 'done', answer: { body: answer.answer } }
  return { status: answer.is === 'refused' ? 'failed' : 'unknown', reason: answer.why.slice(0, 500) }
}

function told(
  { id }: EntityView,
  { workflowName, status, answer, reason, startedAt }: TemplateData<'workflow-run'>,
): Run {
  return {
    ...{ id, workflow: workflowName, status: status === 'queued' ? 'running' : status },
    ...(answer === undefined ? {} : { answer: answer.body }),
    ...(reason === undefined ? {} : { reason }),
    ...(startedAt === undefined ? {} : { startedAt }),
  }
}
