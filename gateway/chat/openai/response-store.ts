// Collection `chat_responses`: what the Responses API answered, for whoever asks again or goes on from there. The only file that
// knows it.

import type { Collection, Db } from 'mongodb'
import type { TenantId } from '../../platform/ids.ts'
import { type CollectionSpec, durable } from '../../platform/mongo.ts'
import type { Said } from './said.ts'

export interface StoredResponse {
  readonly id: string
  readonly agentId: string
  readonly conversationId: string
  readonly previousId: string | null
  /** What was new: the client's messages and the agent's. */
  readonly said: readonly Said[]
  /** As it was answered. */
  readonly body: Readonly<Record<string, unknown>>
}

interface ResponseDoc extends Omit<StoredResponse, 'id' | 'body' | 'said'> {
  readonly _id: string
  readonly tenantId: string
  /** As JSON text: names of a client's metadata and schemas are not field names of documents. */
  readonly saidJson: string
  readonly bodyJson: string
  readonly expiresAt: Date
}

/** As the original keeps them. */
const keptMs = 30 * 24 * 3_600_000

export const responseStore = {
  spec: {
    name: 'chat_responses',
    indexes: [{ key: { expiresAt: 1 }, name: 'expiry', expireAfterSeconds: 0 }],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<ResponseDoc> = db.collection('chat_responses', durable)
    return {
      async byId(tenantId: TenantId, id: string): Promise<StoredResponse | undefined> {
        const doc = await collection.findOne({ _id: id, tenantId })
        if (doc === null) return undefined
        const { agentId, conversationId, previousId, saidJson, bodyJson } = doc
        return { id, agentId, conversationId, previousId, said: JSON.parse(saidJson), body: JSON.parse(bodyJson) }
      },
      async put(tenantId: TenantId, { id, said, body, ...rest }: StoredResponse, at: Date): Promise<void> {
        await collection.insertOne({
          ...{ _id: id, tenantId, ...rest },
          ...{ saidJson: JSON.stringify(said), bodyJson: JSON.stringify(body) },
          expiresAt: new Date(at.getTime() + keptMs),
        })
      },
      async remove(tenantId: TenantId, id: string): Promise<boolean> {
        return (await collection.deleteOne({ _id: id, tenantId })).deletedCount === 1
      },
    }
  },
}
export type ResponseStore = ReturnType<typeof responseStore.open>
