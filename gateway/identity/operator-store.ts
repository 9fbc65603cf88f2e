// Collection `operators`. The only file that knows its documents. Operators stand above tenants: a tenant is in the filter
// only where its members are meant.

import { type Collection, type Db, MongoServerError } from 'mongodb'
import type { TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'

export interface OperatorRecord {
  readonly operatorId: string
  readonly name: string
  /** Sees every tenant of this gateway. */
  readonly owner: boolean
  /** In lower case; one operator per address. Missing for who signs in by a link only. */
  readonly email?: string
  /** The person's id where an outer identity provider vouches for them: `issuer|subject`. One operator per id. */
  readonly externalId?: string
  /** The workspace made at the first login by an outer identity provider. */
  readonly home?: string
  /** Several per tenant are allowed. */
  readonly roles: readonly { readonly tenantId: string; readonly role: string }[]
  readonly createdAt: Date
}

export type NewOperator = Omit<OperatorRecord, 'createdAt'>

interface OperatorDoc extends Omit<OperatorRecord, 'operatorId'> {
  readonly _id: string
}

const toOperator = ({ _id, name, owner, email, externalId, home, roles, createdAt }: OperatorDoc): OperatorRecord => ({
  ...{ operatorId: _id, name, owner, roles, createdAt },
  ...(email === undefined ? {} : { email }),
  ...(externalId === undefined ? {} : { externalId }),
  ...(home === undefined ? {} : { home }),
})

const duplicateKey = 11000

export const operatorStore = {
  spec: {
    name: 'operators',
    indexes: [
      { key: { email: 1 }, name: 'email', unique: true, sparse: true },
      { key: { externalId: 1 }, name: 'external', unique: true, sparse: true },
      { key: { 'roles.tenantId': 1, _id: 1 }, name: 'members' },
    ],
  } satisfies CollectionSpec,
  open(db: Db) {
    const operators: Collection<OperatorDoc> = db.collection('operators', durable)
    return {
      async find(operatorId: string): Promise<OperatorRecord | undefined> {
        const doc = await operators.findOne({ _id: operatorId })
        return doc === null ? undefined : toOperator(doc)
      },
      async findBy(
        fact: { readonly email: string } | { readonly externalId: string },
      ): Promise<OperatorRecord | undefined> {
        const doc = await operators.findOne(fact)
        return doc === null ? undefined : toOperator(doc)
      },
      /** Undefined when the e-mail or the outer id is another operator's. */
      async insert({ operatorId, ...rest }: NewOperator): Promise<OperatorRecord | undefined> {
        const doc = { _id: operatorId, ...rest, createdAt: new Date() }
        try {
          await operators.insertOne(doc)
          return toOperator(doc)
        } catch (error) {
          if (error instanceof MongoServerError && error.code === duplicateKey) return undefined
          throw error
        }
      },
      /** `taken`: the e-mail is another operator's. Undefined for an operator nobody is. */
      async change(
        operatorId: string,
        change: Partial<Pick<OperatorRecord, 'name' | 'email'>>,
      ): Promise<OperatorRecord | 'taken' | undefined> {
        try {
          const doc = await operators.findOneAndUpdate(
            { _id: operatorId },
            { $set: change },
            { returnDocument: 'after' },
          )
          return doc === null ? undefined : toOperator(doc)
        } catch (error) {
          if (error instanceof MongoServerError && error.code === duplicateKey) return 'taken'
          throw error
        }
      },
      /** The workspace is the operator's from now on; false where there was one already. */
      async settle(operatorId: string, home: TenantId): Promise<boolean> {
        const none = { _id: operatorId, home: { $exists: false } }
        return (await operators.updateOne(none, { $set: { home } })).modifiedCount === 1
      },
      async remove(operatorId: string): Promise<void> {
        await operators.deleteOne({ _id: operatorId })
      },
      ...membersIn(operators),
      /** The tenant's roles of one operator are these from now on; their roles elsewhere stay. One write. */
      async setRolesIn(
        tenantId: TenantId,
        operatorId: string,
        names: readonly string[],
      ): Promise<OperatorRecord | undefined> {
        const others = { $filter: { input: '$roles', cond: { $ne: ['$$this.tenantId', tenantId] } } }
        const own = names.map((role) => ({ tenantId, role }))
        const doc = await operators.findOneAndUpdate(
          { _id: operatorId },
          [{ $set: { roles: { $concatArrays: [others, { $literal: own }] } } }],
          { returnDocument: 'after' },
        )
        return doc === null ? undefined : toOperator(doc)
      },
      /** Makes the operator when missing; changes nothing of one that exists. */
      async ensure(operator: NewOperator): Promise<void> {
        const { operatorId, ...rest } = operator
        try {
          await operators.updateOne(
            { _id: operatorId },
            { $setOnInsert: { ...rest, createdAt: new Date() } },
            { upsert: true },
          )
        } catch (error) {
          // Two at once: the other one has made it.
          if (!(error instanceof MongoServerError && error.code === duplicateKey)) throw error
        }
      },
    }
  },
}

/** Those who have a role in one tenant. */
function membersIn(operators: Collection<OperatorDoc>) {
  return {
    async members(
      tenantId: TenantId,
      { after, limit }: { readonly after?: string | undefined; readonly limit: number },
    ): Promise<readonly OperatorRecord[]> {
      const filter = { 'roles.tenantId': tenantId, ...(after === undefined ? {} : { _id: { $gt: after } }) }
      return (await operators.find(filter).sort({ _id: 1 }).limit(limit).toArray()).map(toOperator)
    },
    async member(tenantId: TenantId, operatorId: string): Promise<OperatorRecord | undefined> {
      const doc = await operators.findOne({ _id: operatorId, 'roles.tenantId': tenantId })
      return doc === null ? undefined : toOperator(doc)
    },
    /** Whether anybody in the tenant has the role. */
    async hold(tenantId: TenantId, role: string): Promise<boolean> {
      const filter = { 'roles.tenantId': tenantId, roles: { $elemMatch: { tenantId, role } } }
      return (await operators.findOne(filter)) !== null
    },
  }
}
