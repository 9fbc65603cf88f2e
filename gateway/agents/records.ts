// An agent as it is kept: an object that names its configs, and the configs as versions of their own. Whoever writes a version
// has decided the next number; that the object names it follows, by the writer or by whoever comes next and finds it missing.

import type { TextWish } from '../engines/engines.ts'
import {
  type AgentData,
  agentDataOf,
  type NewObject,
  type StoredObject,
  type TenantObjects,
} from '../objects/objects.ts'
import type { Actor } from '../platform/access.ts'
import type { TenantId } from '../platform/ids.ts'
import { found, Problem } from '../platform/problem.ts'
import { type Agent, agentStatus, agentSubtype } from './agent.ts'
import type { AgentConfig } from './config.ts'
import { hashOf, type versionStore } from './version-store.ts'

export interface RecordsOf {
  readonly tenantId: TenantId
  readonly objects: TenantObjects
  readonly versions: ReturnType<typeof versionStore.open>
  /** Why this gateway cannot ask a model. Missing: nobody looks. */
  readonly modelProblem?: ((named: Pick<TextWish, 'provider' | 'model'>) => string | undefined) | undefined
}

/** Whoever does it; `note` says why. */
export interface By {
  readonly actor: Actor
  readonly note?: string | undefined
}

/** Writers of one agent at the same moment: each round one of them is done. */
const rounds = 20

export async function agentById(records: RecordsOf, id: string): Promise<Agent | undefined> {
  const object = await records.objects.byId(id)
  return object?.type === 'org_agent' ? (await agentsOf(records, [object]))[0] : undefined
}

export async function agentBySlug(records: RecordsOf, slug: string): Promise<Agent | undefined> {
  const object = await records.objects.bySlug('org_agent', slug)
  return object === undefined ? undefined : (await agentsOf(records, [object]))[0]
}

/** In the order given. */
export async function agentsOf(records: RecordsOf, objects: readonly StoredObject[]): Promise<readonly Agent[]> {
  const all = objects.map((object) => ({ object, data: agentDataOf(object) }))
  const refs = all.flatMap(({ object: { id: agentId }, data: { draftVersion, liveVersion } }) => [
    { agentId, number: draftVersion },
    ...(liveVersion === 0 ? [] : [{ agentId, number: liveVersion }]),
  ])
  const configOf = await records.versions.configs(records.tenantId, refs)
  return all.map(({ object, data }) => agentOf(object, data, configOf))
}

function agentOf(
  object: StoredObject,
  data: AgentData,
  configOf: (ref: { readonly agentId: string; readonly number: number }) => AgentConfig | undefined,
): Agent {
  const { id: agentId, slug, name, revision, updatedAt } = object
  const draft = configOf({ agentId, number: data.draftVersion })
  if (draft === undefined) throw new Error(`version ${data.draftVersion} of agent ${agentId} is missing`)
  const live = data.liveVersion === 0 ? undefined : configOf({ agentId, number: data.liveVersion })
  return {
    ...{ id: agentId, slug, name, revision, updatedAt, draft },
    ...(live === undefined ? {} : { live }),
    ...{ status: agentStatus.parse(object.status), subtype: agentSubtype.parse(object.subtype) },
    ...{ version: data.liveVersion, draftVersion: data.draftVersion, rollout: data.rollout },
    ...{ recalled: data.recalled, deployments: data.deployments },
  }
}

export async function createAgent(
  records: RecordsOf,
  agent: Pick<NewObject, 'id' | 'subtype' | 'name' | 'slug'> & { readonly id: string; readonly config: AgentConfig },
  by: By,
): Promise<Agent> {
  const { config, id, ...named } = agent
  await records.versions.insert(records.tenantId, {
    ...{ agentId: id, number: 1, config, hash: hashOf(config) },
    ...{ author: by.actor, note: by.note ?? '', at: new Date() },
  })
  const data: AgentData = { draftVersion: 1, liveVersion: 0, rollout: null, recalled: [], deployments: [] }
  const object = await records.objects.create({ type: 'org_agent', ...named, id, data })
  return agentOf(object, data, () => config)
}

/** A config equal to the draft makes no version. `basedOn`: only if that still is the draft. */
export async function saveDraft(
  records: RecordsOf,
  { id, config, basedOn }: { readonly id: string; readonly config: AgentConfig; readonly basedOn?: number | undefined },
  by: By,
): Promise<Agent> {
  const hash = hashOf(config)
  for (let round = 0; round < rounds; round++) {
    const agent = found(await agentById(records, id))
    if (agent.status === 'archived') throw new Problem('conflict', 'An archived agent is not changed any more.')
    if (basedOn !== undefined && basedOn !== agent.draftVersion) throw changedMeanwhile(agent.draftVersion)
    if (hash === hashOf(agent.draft)) return agent
    const number = agent.draftVersion + 1
    const version = { agentId: id, number, config, hash, author: by.actor, note: by.note ?? '', at: new Date() }
    const isOurs = await records.versions.insert(records.tenantId, version)
    const named = await nameDraft(records, id, number)
    if (isOurs) return named
  }
  throw new Problem('conflict', 'Others are changing this agent right now.')
}

/** The object names this version, or a later one. */
async function nameDraft(records: RecordsOf, id: string, number: number): Promise<Agent> {
  for (let round = 0; round < rounds; round++) {
    const object = found(await records.objects.byId(id))
    const data = agentDataOf(object)
    const changed =
      data.draftVersion >= number
        ? object
        : await records.objects.change(id, { data: { ...data, draftVersion: number } }, object.revision)
    if (changed !== undefined) return found((await agentsOf(records, [changed]))[0])
  }
  throw new Problem('conflict', 'Others are changing this agent right now.')
}

function changedMeanwhile(version: number): Problem {
  const message = `The draft is at version ${version} by now.`
  return new Problem('conflict', message, { issues: [{ path: 'basedOn', message }] })
}
