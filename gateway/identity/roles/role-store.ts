// Collections `roles`, `policies` and `role_assignments`. The only file that knows their documents.

import { type Collection, type Db, MongoServerError } from 'mongodb'
import { idOf, newId, type TenantId } from '../../platform/ids.ts'
import { type CollectionSpec, durable } from '../../platform/mongo.ts'
import type { FieldMask, RowRule, Scope } from './grant.ts'
import type { PolicyFields, RoleChange } from './role.ts'

export interface RoleRecord {
  readonly roleId: string
  readonly name: string
  readonly description: string
  readonly policyIds: readonly string[]
  readonly rules: readonly RowRule[]
  readonly masks: readonly FieldMask[]
}

interface RoleDoc extends Omit<RoleRecord, 'roleId'> {
  readonly _id: string
  readonly tenantId: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

export interface PolicyRecord extends PolicyFields {
  readonly policyId: string
}

interface PolicyDoc extends PolicyFields {
  readonly _id: string
  readonly tenantId: string
  readonly createdAt: Date
}

export interface AssignmentRecord {
  readonly assignmentId: string
  readonly operatorId: string
  /** Its name. */
  readonly role: string
  readonly scope: Scope
  readonly createdAt: Date
}

interface AssignmentDoc extends Omit<AssignmentRecord, 'assignmentId'> {
  readonly _id: string
  readonly tenantId: string
}

export interface PageAfter {
  readonly after?: string | undefined
  readonly limit: number
}

const toRole = ({ _id, name, description, policyIds, rules, masks }: RoleDoc): RoleRecord => ({
  ...{ roleId: _id, name, description, policyIds, rules, masks },
})
const toPolicy = ({ _id, tenantId: _tenant, createdAt: _at, ...fields }: PolicyDoc): PolicyRecord => ({
  policyId: _id,
  ...fields,
})
const toAssignment = ({ _id, tenantId: _tenant, ...rest }: AssignmentDoc): AssignmentRecord => ({
  assignmentId: _id,
  ...rest,
})

const duplicateKey = 11000
const isDuplicate = (error: unknown): boolean => error instanceof MongoServerError && error.code === duplicateKey
const after = { returnDocument: 'after' } as const

function roleDocs(db: Db) {
  const roles: Collection<RoleDoc> = db.collection('roles', durable)
  const one = (doc: RoleDoc | null): RoleRecord | undefined => (doc === null ? undefined : toRole(doc))
  return {
    async list(tenantId: TenantId): Promise<readonly RoleRecord[]> {
      return (await roles.find({ tenantId }).sort({ name: 1 }).toArray()).map(toRole)
    },
    async byId(tenantId: TenantId, roleId: string): Promise<RoleRecord | undefined> {
      return one(await roles.findOne({ _id: roleId, tenantId }))
    },
    async named(tenantId: TenantId, names: readonly string[]): Promise<readonly RoleRecord[]> {
      return (await roles.find({ tenantId, name: { $in: [...names] } }).toArray()).map(toRole)
    },
    async count(tenantId: TenantId): Promise<number> {
      return roles.countDocuments({ tenantId })
    },
    /** Undefined when the tenant has a role of this name. */
    async insert(tenantId: TenantId, role: Omit<RoleRecord, 'roleId'>): Promise<RoleRecord | undefined> {
      const now = new Date()
      const doc: RoleDoc = { _id: newId('role'), tenantId, ...role, createdAt: now, updatedAt: now }
      try {
        await roles.insertOne(doc)
        return toRole(doc)
      } catch (error) {
        if (isDuplicate(error)) return undefined
        throw error
      }
    },
    async change(tenantId: TenantId, roleId: string, change: RoleChange): Promise<RoleRecord | undefined> {
      const update = { $set: { ...change, updatedAt: new Date() } }
      return one(await roles.findOneAndUpdate({ _id: roleId, tenantId }, update, after))
    },
    async addPolicy(tenantId: TenantId, roleId: string, policyId: string): Promise<RoleRecord | undefined> {
      const update = { $addToSet: { policyIds: policyId }, $set: { updatedAt: new Date() } }
      return one(await roles.findOneAndUpdate({ _id: roleId, tenantId }, update, after))
    },
    async takePolicy(tenantId: TenantId, roleId: string, policyId: string): Promise<RoleRecord | undefined> {
      const update = { $pull: { policyIds: policyId }, $set: { updatedAt: new Date() } }
      return one(await roles.findOneAndUpdate({ _id: roleId, tenantId }, update, after))
    },
    async withPolicy(tenantId: TenantId, policyId: string): Promise<RoleRecord | undefined> {
      return one(await roles.findOne({ tenantId, policyIds: policyId }))
    },
    async remove(tenantId: TenantId, roleId: string): Promise<void> {
      await roles.deleteOne({ _id: roleId, tenantId })
    },
  }
}

function policyDocs(db: Db) {
  const policies: Collection<PolicyDoc> = db.collection('policies', durable)
  const one = (doc: PolicyDoc | null): PolicyRecord | undefined => (doc === null ? undefined : toPolicy(doc))
  return {
    async list(tenantId: TenantId, { after: from, limit }: PageAfter): Promise<readonly PolicyRecord[]> {
      const filter = { tenantId, ...(from === undefined ? {} : { _id: { $gt: from } }) }
      return (await policies.find(filter).sort({ _id: 1 }).limit(limit).toArray()).map(toPolicy)
    },
    async byId(tenantId: TenantId, policyId: string): Promise<PolicyRecord | undefined> {
      return one(await policies.findOne({ _id: policyId, tenantId }))
    },
    async byIds(tenantId: TenantId, policyIds: readonly string[]): Promise<readonly PolicyRecord[]> {
      if (policyIds.length === 0) return []
      return (await policies.find({ _id: { $in: [...policyIds] }, tenantId }).toArray()).map(toPolicy)
    },
    async count(tenantId: TenantId): Promise<number> {
      return policies.countDocuments({ tenantId })
    },
    async insert(tenantId: TenantId, fields: PolicyFields): Promise<PolicyRecord> {
      const doc: PolicyDoc = { _id: newId('pol'), tenantId, ...fields, createdAt: new Date() }
      await policies.insertOne(doc)
      return toPolicy(doc)
    },
    /** The policy is these fields from now on. */
    async replace(tenantId: TenantId, policyId: string, fields: PolicyFields): Promise<PolicyRecord | undefined> {
      const { kind, ...rest } = fields
      const update = kind === undefined ? { $set: rest, $unset: { kind: true as const } } : { $set: fields }
      return one(await policies.findOneAndUpdate({ _id: policyId, tenantId }, update, after))
    },
    async remove(tenantId: TenantId, policyId: string): Promise<void> {
      await policies.deleteOne({ _id: policyId, tenantId })
    },
  }
}

function assignmentDocs(db: Db) {
  const assignments: Collection<AssignmentDoc> = db.collection('role_assignments', durable)
  return {
    async of(tenantId: TenantId, operatorId: string): Promise<readonly AssignmentRecord[]> {
      return (await assignments.find({ tenantId, operatorId }).toArray()).map(toAssignment)
    },
    async list(tenantId: TenantId, { after: from, limit }: PageAfter): Promise<readonly AssignmentRecord[]> {
      const filter = { tenantId, ...(from === undefined ? {} : { _id: { $gt: from } }) }
      return (await assignments.find(filter).sort({ _id: 1 }).limit(limit).toArray()).map(toAssignment)
    },
    async byId(tenantId: TenantId, assignmentId: string): Promise<AssignmentRecord | undefined> {
      const doc = await assignments.findOne({ _id: assignmentId, tenantId })
      return doc === null ? undefined : toAssignment(doc)
    },
    /** The same once more changes nothing. */
    async put(
      tenantId: TenantId,
      { operatorId, role, scope }: Pick<AssignmentRecord, 'operatorId' | 'role' | 'scope'>,
    ): Promise<AssignmentRecord> {
      const _id = idOf('asg', tenantId, operatorId, role, scope.of, scope.id)
      const doc = { operatorId, role, scope, createdAt: new Date() }
      await assignments.updateOne({ _id, tenantId }, { $setOnInsert: doc }, { upsert: true })
      return { assignmentId: _id, ...doc }
    },
    async remove(tenantId: TenantId, assignmentId: string): Promise<void> {
      await assignments.deleteOne({ _id: assignmentId, tenantId })
    },
    async removeOf(tenantId: TenantId, of: { readonly role: string } | { readonly operatorId: string }): Promise<void> {
      await assignments.deleteMany({ tenantId, ...of })
    },
  }
}

export const roleStore = {
  specs: [
    {
      name: 'roles',
      indexes: [
        { key: { tenantId: 1, name: 1 }, name: 'name', unique: true },
        { key: { tenantId: 1, policyIds: 1 }, name: 'policies' },
      ],
    },
    { name: 'policies', indexes: [{ key: { tenantId: 1, _id: 1 }, name: 'list' }] },
    {
      name: 'role_assignments',
      indexes: [
        { key: { tenantId: 1, _id: 1 }, name: 'list' },
        { key: { tenantId: 1, operatorId: 1 }, name: 'operator' },
        { key: { tenantId: 1, role: 1 }, name: 'role' },
      ],
    },
  ] satisfies readonly CollectionSpec[],
  open: (db: Db) => ({ roles: roleDocs(db), policies: policyDocs(db), assignments: assignmentDocs(db) }),
}
export type RoleStore = ReturnType<typeof roleStore.open>
