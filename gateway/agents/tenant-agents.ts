// One tenant's agents: made, changed, put to work, put away.

import type { z } from 'zod'
import { agentMoves } from '../objects/objects.ts'
import type { Actor } from '../platform/access.ts'
import { pageFrom } from '../platform/cursor.ts'
import { newId } from '../platform/ids.ts'
import { found, Problem } from '../platform/problem.ts'
import type { AgentDiff, AgentFile } from '../protocol/agents.ts'
import type { Page } from '../protocol/rest.ts'
import { type Agent, type AgentStatus, type AgentSubtype, newAgent } from './agent.ts'
import { type AgentConfig, type AgentConfigInput, agentConfig } from './config.ts'
import { deploy, rollBack, rollOut } from './deploy.ts'
import { diffOf } from './diff.ts'
import { type agentFile, configOfFile, fileOf } from './file.ts'
import { agentById, agentBySlug, agentsOf, type By, createAgent, type RecordsOf, saveDraft } from './records.ts'
import type { AgentVersion } from './version-store.ts'

/** A version by its number, or by what it is for. */
export type Which = 'draft' | 'live' | number

export interface AgentList {
  readonly subtype?: AgentSubtype | undefined
  readonly status?: AgentStatus | undefined
  readonly cursor?: string | undefined
  readonly limit: number
}

/** Methods that change something take who does it; missing: this program itself. */
export interface TenantAgents {
  bySlug(slug: string): Promise<Agent | undefined>
  byId(id: string): Promise<Agent | undefined>
  /** The first 1,000, in the order of their slugs. */
  list(): Promise<readonly Agent[]>
  page(query: AgentList): Promise<Page<Agent>>
  /** A draft nobody reaches yet. `conflict` for a slug that is taken; without one it gets one of its name. */
  create(
    agent: {
      readonly name: string
      readonly slug?: string | undefined
      readonly subtype?: AgentSubtype | undefined
      readonly config?: AgentConfigInput | undefined
    },
    by?: By,
  ): Promise<Agent>
  /** Fields of `config` replace those of the draft, and make a new version. */
  change(
    id: string,
    change: { readonly name?: string; readonly subtype?: AgentSubtype; readonly config?: AgentConfigInput },
    by?: By,
  ): Promise<Agent>
  /** The whole draft. A new version, unless it is equal. `conflict` when the draft is not at `basedOn` any more. */
  saveDraft(id: string, config: AgentConfigInput, by?: By & { readonly basedOn?: number | undefined }): Promise<Agent>
  /** The draft is what people get, or `percent` of them. Running sessions keep what they have. */
  deploy(id: string, by?: By & { readonly percent?: number | undefined }): Promise<Agent>
  /** Deploys the draft and makes the agent answer. */
  publish(id: string, by?: By): Promise<Agent>
  rollBack(id: string, version: number, by?: By): Promise<Agent>
  rollOut(id: string, trial: { readonly version: number; readonly percent: number }, by?: By): Promise<Agent>
  /** `conflict` where it may not go, and for `active` with nothing deployed. */
  setStatus(id: string, status: AgentStatus): Promise<Agent>
  /** `conflict` unless it is archived or was never active. Its versions and conversations stay. */
  remove(id: string): Promise<void>
  /** Newest first; those of a deleted agent too. */
  versions(
    id: string,
    page: { readonly cursor?: string | undefined; readonly limit: number },
  ): Promise<Page<AgentVersion>>
  /** `not_found` when there is none. */
  version(id: string, which: Which): Promise<AgentVersion>
  diff(id: string, range: { readonly from: Which; readonly to: Which }): Promise<AgentDiff>
  /** Without secrets: a config has none. */
  file(id: string, which: Which): Promise<AgentFile>
  /** By slug: makes the agent, or a new draft of it. */
  takeFile(
    file: z.output<typeof agentFile>,
    by?: By & { readonly basedOn?: number | undefined },
  ): Promise<{
    readonly agent: Agent
    readonly created: boolean
  }>
}

const system: Actor = { kind: 'system', id: 'system', name: 'Parley' }
const itself: By = { actor: system }
const most = 1_000

export function tenantAgents(records: RecordsOf): TenantAgents {
  const { objects } = records
  const byId = (id: string) => agentById(records, id)
  const save = (id: string, config: AgentConfig, by: By & { readonly basedOn?: number | undefined }) =>
    saveDraft(records, { id, config, basedOn: by.basedOn }, by)
  return {
    byId,
    bySlug: (slug) => agentBySlug(records, slug),
    list: async () => agentsOf(records, (await objects.list({ type: 'org_agent', limit: most })).items),
    async page(query) {
      const page = await objects.list({ type: 'org_agent', ...query })
      return { items: await agentsOf(records, page.items), next: page.next }
    },
    create: (agent, by = itself) => create(records, agent, by),
    change: (id, change, by = itself) => changeAgent(records, { id, ...change }, by),
    async saveDraft(id, config, by = itself) {
      const next = valid(agentConfig, config)
      knownModel(records, next, found(await byId(id)).draft)
      return save(id, next, by)
    },
    deploy: (id, by = itself) => deploy(records, { id, percent: 'percent' in by ? by.percent : undefined }, by),
    publish: (id, by = itself) => deploy(records, { id, activates: true }, by),
    rollBack: (id, version, by = itself) => rollBack(records, { id, version }, by),
    rollOut: (id, trial, by = itself) => rollOut(records, { id, ...trial }, by),
    setStatus: (id, status) => setStatus(records, id, status),
    remove: (id) => remove(records, id),
    versions: (id, page) => versions(records, id, page),
    version: (id, which) => versionOf(records, id, which),
    diff: (id, range) => diff(records, id, range),
    async file(id, which) {
      const agent = found(await byId(id))
      const { number, config } = await versionOf(records, id, which)
      return fileOf(agent, number, config)
    },
    async takeFile(file, by = itself) {
      const config = configOfFile(file)
      const there = await agentBySlug(records, file.agent.slug)
      if (there === undefined)
        return {
          agent: await create({ ...records, modelProblem: undefined }, { ...file.agent, config }, by),
          created: true,
        }
      // The draft first: it is refused when it is based on another.
      await save(there.id, config, by)
      const { name, subtype } = file.agent
      return { agent: await changeAgent(records, { id: there.id, name, subtype }, by), created: false }
    },
  }
}

async function create(records: RecordsOf, input: Parameters<TenantAgents['create']>[0], by: By): Promise<Agent> {
  const { config: given, ...named } = input
  const { slug, ...rest } = valid(newAgent, named)
  const config = valid(agentConfig, given ?? {})
  knownModel(records, config)
  // Looked for before the first version is written: what is refused leaves nothing behind.
  if (slug !== undefined && (await records.objects.bySlug('org_agent', slug)) !== undefined)
    throw new Problem('conflict', 'This slug is taken.')
  return createAgent(records, { ...rest, slug, id: newId('agt'), config }, by)
}

async function changeAgent(
  records: RecordsOf,
  { id, name, subtype, config }: { readonly id: string } & Parameters<TenantAgents['change']>[1],
  by: By,
): Promise<Agent> {
  const agent = found(await agentById(records, id))
  if (agent.status === 'archived') throw new Problem('conflict', 'An archived agent is not changed any more.')
  const draft = config === undefined ? undefined : valid(agentConfig, { ...agent.draft, ...config })
  if (draft !== undefined) knownModel(records, draft, agent.draft)
  const named = {
    ...(name === undefined || name === agent.name ? {} : { name: valid(newAgent.shape.name, name) }),
    ...(subtype === undefined || subtype === agent.subtype ? {} : { subtype }),
  }
  if (Object.keys(named).length > 0) await records.objects.change(id, named)
  if (draft !== undefined) await saveDraft(records, { id, config: draft, basedOn: agent.draftVersion }, by)
  return found(await agentById(records, id))
}

/** What was there before stays: a key may be gone for a while, and other fields are changed meanwhile. */
function knownModel(records: RecordsOf, config: AgentConfig, before?: AgentConfig): void {
  const { modelProvider: provider, modelId: model } = config
  if (provider === before?.modelProvider && model === before.modelId) return
  const message = records.modelProblem?.({ provider, model })
  if (message === undefined) return
  const issues = [{ path: 'config.modelProvider', message }]
  throw new Problem('invalid', `This gateway cannot ask that model: ${message}.`, { issues })
}

async function setStatus(records: RecordsOf, id: string, status: AgentStatus): Promise<Agent> {
  const agent = found(await agentById(records, id))
  const mayMove: readonly string[] = agentMoves[agent.status]
  if (status === 'active' && agent.version === 0 && mayMove.includes(status))
    throw new Problem('conflict', 'Deploy a version first: there is nothing this agent could answer with.')
  const changed = await records.objects.change(id, { status })
  if (changed === undefined) throw new Problem('conflict', 'Somebody else has changed this agent just now.')
  return found((await agentsOf(records, [changed]))[0])
}

async function remove(records: RecordsOf, id: string): Promise<void> {
  const agent = found(await agentById(records, id))
  if (agent.status === 'active' || agent.status === 'paused')
    throw new Problem('conflict', `An agent that is ${agent.status} is not deleted: archive it first.`)
  if (!(await records.objects.remove(agent)))
    throw new Problem('conflict', 'Somebody else has changed this agent just now.')
}

const numberCursor = /^[1-9]\d{0,9}$/

async function versions(
  records: RecordsOf,
  agentId: string,
  { cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number },
): Promise<Page<AgentVersion>> {
  if (cursor !== undefined && !numberCursor.test(cursor))
    throw new Problem('invalid', 'The cursor is not one of this list.')
  const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor)
  const all = await records.versions.list(records.tenantId, { agentId, before, limit })
  if (all.length === 0 && cursor === undefined) throw new Problem('not_found')
  return pageFrom(all, limit, { view: (each) => each, cursor: (each) => String(each.number) })
}

async function versionOf(records: RecordsOf, agentId: string, which: Which): Promise<AgentVersion> {
  const number = typeof which === 'number' ? which : numberOf(found(await agentById(records, agentId)), which)
  return found(number === 0 ? undefined : await records.versions.get(records.tenantId, { agentId, number }))
}

function numberOf(agent: Agent, which: 'draft' | 'live'): number {
  return which === 'draft' ? agent.draftVersion : agent.version
}

async function diff(
  records: RecordsOf,
  id: string,
  range: { readonly from: Which; readonly to: Which },
): Promise<AgentDiff> {
  const [from, to] = await Promise.all([versionOf(records, id, range.from), versionOf(records, id, range.to)])
  return { from: from.number, to: to.number, changes: diffOf(from.config, to.config) }
}

export function valid<S extends z.ZodType>(schema: S, input: z.input<S>): z.output<S> {
  const parse = schema.safeParse(input)
  if (parse.success) return parse.data
  const issues = parse.error.issues.map((each) => ({ path: each.path.map(String).join('.'), message: each.message }))
  throw new Problem('invalid', 'The agent has a wrong value.', { issues })
}
