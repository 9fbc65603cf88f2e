// What people get: which version is live, and which one some of them try. Each change is one write, with its record in it.

import { type AgentData, agentDataOf } from '../objects/objects.ts'
import { found, Problem } from '../platform/problem.ts'
import type { Agent, AgentStatus } from './agent.ts'
import { agentsOf, type By, type RecordsOf } from './records.ts'

type Deployment = AgentData['deployments'][number]
type Change = Pick<AgentData, 'liveVersion' | 'rollout'> & {
  readonly kind: Deployment['kind']
  readonly version: number
  readonly percent: number
  /** Taken back: nobody keeps them. */
  readonly recalls?: readonly number[]
}

/** The audit has them all; these are for whoever looks at the agent. */
const keptDeployments = 50
const rounds = 10

/** The draft, for all people or for `percent` of them. Deploying what is live for all already changes nothing. */
export function deploy(
  records: RecordsOf,
  { id, percent = 100, activates = false }: { id: string; percent?: number | undefined; activates?: boolean },
  by: By,
): Promise<Agent> {
  let draft: number | undefined
  return change(records, { id, by, status: activates ? 'active' : undefined }, (data) => {
    if (draft !== undefined && draft !== data.draftVersion)
      throw new Problem('conflict', 'The draft was changed just now: look at it again before it is deployed.')
    draft = data.draftVersion
    return stepTo(data, { kind: 'deploy', version: draft, percent })
  })
}

/** Another version for `percent` of the people: always the same ones, and more of them as it grows. 0 ends the trial, 100 makes it live. */
export async function rollOut(
  records: RecordsOf,
  { id, version, percent }: { readonly id: string; readonly version: number; readonly percent: number },
  by: By,
): Promise<Agent> {
  await exists(records, id, version)
  return change(records, { id, by }, (data) => {
    if (percent > 0) return stepTo(data, { kind: 'rollout', version, percent })
    if (data.rollout?.version !== version) return undefined
    return { kind: 'rollout', version, percent: 0, liveVersion: data.liveVersion, rollout: null, recalls: [version] }
  })
}

/** An earlier version is live again at once, for everybody: who was given what is taken back does not keep it. */
export async function rollBack(
  records: RecordsOf,
  { id, version }: { readonly id: string; readonly version: number },
  by: By,
): Promise<Agent> {
  await exists(records, id, version)
  return change(records, { id, by }, (data) => {
    if (data.liveVersion === 0) throw new Problem('conflict', 'Nothing is deployed that could be taken back.')
    if (data.liveVersion === version && data.rollout === null) return undefined
    const given = [data.liveVersion, ...(data.rollout === null ? [] : [data.rollout.version])]
    const recalls = given.filter((each) => each !== version)
    return { kind: 'rollback', version, percent: 100, liveVersion: version, rollout: null, recalls }
  })
}

async function exists(records: RecordsOf, agentId: string, number: number): Promise<void> {
  const [object, version] = await Promise.all([
    records.objects.byId(agentId),
    records.versions.get(records.tenantId, { agentId, number }),
  ])
  if (object === undefined || version === undefined || number > agentDataOf(object).draftVersion)
    throw new Problem('not_found')
}

function stepTo(
  data: AgentData,
  {
    kind,
    version,
    percent,
  }: { readonly kind: 'deploy' | 'rollout'; readonly version: number; readonly percent: number },
): Change | undefined {
  if (percent === 100)
    return data.liveVersion === version && data.rollout === null
      ? undefined
      : { kind, version, percent, liveVersion: version, rollout: null }
  if (data.liveVersion === 0)
    throw new Problem('conflict', 'Nothing is live yet: the first version is deployed for everybody.')
  if (data.liveVersion === version) throw new Problem('conflict', `Version ${version} is live already.`)
  return { kind, version, percent, liveVersion: data.liveVersion, rollout: { version, percent } }
}

async function change(
  records: RecordsOf,
  { id, by, status }: { readonly id: string; readonly by: By; readonly status?: AgentStatus | undefined },
  decide: (data: AgentData) => Change | undefined,
): Promise<Agent> {
  for (let round = 0; round < rounds; round++) {
    const object = found(await records.objects.byId(id))
    if (object.type !== 'org_agent') throw new Problem('not_found')
    if (object.status === 'archived') throw new Problem('conflict', 'An archived agent is not changed any more.')
    const data = agentDataOf(object)
    const decided = decide(data)
    const moves = status === undefined || status === object.status ? {} : { status }
    const written =
      decided === undefined && Object.keys(moves).length === 0
        ? object
        : await records.objects.change(
            id,
            { ...moves, ...(decided === undefined ? {} : { data: { ...data, ...after(data, decided, by) } }) },
            object.revision,
          )
    if (written !== undefined) return found((await agentsOf(records, [written]))[0])
  }
  throw new Problem('conflict', 'Others are changing this agent right now.')
}

function after(data: AgentData, change: Change, by: By): Partial<AgentData> {
  const { kind, version, percent, liveVersion, rollout, recalls = [] } = change
  const record: Deployment = {
    ...{ kind, version, percent, from: data.liveVersion },
    ...{ actor: { ...by.actor }, note: by.note ?? '', at: new Date() },
  }
  const recalled = new Set([...data.recalled, ...recalls])
  if (percent > 0) recalled.delete(version)
  return {
    liveVersion,
    rollout,
    recalled: [...recalled].slice(-keptDeployments),
    deployments: [...data.deployments, record].slice(-keptDeployments),
  }
}
