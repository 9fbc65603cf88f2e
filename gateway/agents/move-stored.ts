// Agents of the first shape stand in a collection of their own, with their configs inside. They are moved to the objects, once:
// every write is the same whoever makes it, and the old document goes when the new ones are there.

import type { Collection, Db } from 'mongodb'
import type { AgentData, Objects } from '../objects/objects.ts'
import type { Actor } from '../platform/access.ts'
import { asTenantId } from '../platform/ids.ts'
import { durable } from '../platform/mongo.ts'
import { readStoredConfig } from './stored-config.ts'
import { hashOf, type versionStore } from './version-store.ts'

interface OldDoc {
  readonly _id: string
  readonly tenantId: string
  readonly slug: string
  readonly name: string
  readonly status: string
  readonly draft: unknown
  readonly live?: unknown
  readonly version: number
  readonly createdAt?: Date
}

const mover: Actor = { kind: 'system', id: 'system', name: 'Parley' }

/** How many this process has moved. Any number of processes may run it at once, and as often as they like. */
export async function moveStoredAgents(deps: {
  readonly db: Db
  readonly objects: Objects
  readonly versions: ReturnType<typeof versionStore.open>
}): Promise<number> {
  const old: Collection<OldDoc> = deps.db.collection('agents', durable)
  let moved = 0
  for await (const doc of old.find({}).sort({ _id: 1 })) {
    // Read a while ago: what another process has moved since may even be deleted by now, and does not come back.
    const isHere = (await old.findOne({ _id: doc._id, tenantId: doc.tenantId })) !== null
    if (isHere) await move(deps, doc)
    moved += (await old.deleteOne({ _id: doc._id, tenantId: doc.tenantId })).deletedCount
  }
  return moved
}

async function move(deps: Omit<Parameters<typeof moveStoredAgents>[0], 'db'>, doc: OldDoc): Promise<void> {
  const tenantId = asTenantId(doc.tenantId)
  const objects = deps.objects.of(tenantId)
  // Another process was here, and its owner may have changed the agent since.
  if ((await objects.byId(doc._id)) !== undefined) return
  const draft = readStoredConfig(doc.draft)
  const live = doc.live === undefined ? undefined : readStoredConfig(doc.live)
  const configs = live === undefined || hashOf(live) === hashOf(draft) ? [draft] : [live, draft]
  for (const [i, config] of configs.entries())
    await deps.versions.insert(tenantId, {
      ...{ agentId: doc._id, number: i + 1, config, hash: hashOf(config) },
      ...{ author: mover, note: 'As it was before versions were kept', at: doc.createdAt ?? new Date(0) },
    })
  const data: AgentData = {
    ...{ draftVersion: configs.length, liveVersion: live === undefined ? 0 : 1 },
    ...{ rollout: null, recalled: [], deployments: [] },
  }
  const { _id: id, slug, name, status, createdAt } = doc
  const object = { type: 'org_agent', subtype: 'general', id, slug, name, status, data } as const
  // A process beside this one may be first: then it has made the very same.
  await objects
    .create({ ...object, ...(createdAt === undefined ? {} : { createdAt }) })
    .catch(async (error: unknown) => {
      if ((await objects.byId(id)) === undefined) throw error
    })
}
