// What a tenant's own roles are made of, and which values they may hold. Pure.

import { z } from 'zod'
import { abilities } from '../../platform/access.ts'
import { slugPattern } from '../../platform/slug.ts'
import { builtinRole } from './builtin.ts'
import { familyNames, kindOf } from './grant.ts'

const resources = [...new Set(abilities.map((each) => each.split('.')[0] ?? ''))]
const actions = [...new Set(abilities.map((each) => each.split('.')[1] ?? ''))]

const resource = z.enum(resources)
const kind = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'letters, digits, - and _')
/** A path that no object inherits from. */
const field = z
  .string()
  .max(200)
  .regex(/^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z0-9_][A-Za-z0-9_-]*)*$/, 'a dotted path such as data.phone')
  .refine((text) => !/(^|\.)(__proto__|constructor|prototype)(\.|$)/.test(text), 'not a field of a record')

const hasKinds = (each: { resource: string; kind?: string | undefined }): boolean =>
  each.kind === undefined || kindOf(each.resource) !== undefined
const noKinds = { message: 'This resource has no kinds.', path: ['kind'] }

/** Own policies end below the owner's, so that no denial locks a tenant out. */
export const maxPriority = 100

export const policyFields = z
  .strictObject({
    resource: z.enum([...resources, '*']),
    action: z.enum([...actions, '*']),
    kind: kind.exactOptional(),
    effect: z.enum(['allow', 'deny']),
    priority: z.int().min(0).max(maxPriority).default(0),
    description: z.string().trim().max(200).default(''),
  })
  .refine(hasKinds, noKinds)
  .refine(
    (each) =>
      each.resource === '*' ||
      each.action === '*' ||
      abilities.some((one) => one === `${each.resource}.${each.action}`),
    { message: 'This resource has no such action.', path: ['action'] },
  )
export type PolicyFields = z.output<typeof policyFields>

const value = z.union([z.string().max(200), z.number(), z.boolean(), z.null()])
const condition = z.discriminatedUnion('is', [
  z.strictObject({
    is: z.literal('field'),
    field,
    op: z.enum(['eq', 'ne', 'in']),
    values: z.array(value).min(1).max(50).readonly(),
  }),
  z.strictObject({ is: z.literal('relation'), relation: z.string().min(1).max(64), to: z.string().min(1).max(64) }),
])

export const rowRule = z
  .strictObject({ resource, kind: kind.exactOptional(), conditions: z.array(condition).min(1).max(10).readonly() })
  .refine(hasKinds, noKinds)
export const fieldMask = z
  .strictObject({ resource, kind: kind.exactOptional(), field, how: z.enum(['hide', 'redact']) })
  .refine(hasKinds, noKinds)

/** People, keys and invitations hold a role by its name: it stays. */
export const roleName = z
  .string()
  .regex(slugPattern, 'lower-case letters, digits and inner hyphens, at most 50')
  .refine((name) => builtinRole(name) === undefined && name !== 'visitor', 'a role that every tenant has')

const content = {
  description: z.string().trim().max(500),
  rules: z.array(rowRule).max(50).readonly(),
  masks: z.array(fieldMask).max(100).readonly(),
}
export const newRole = z.strictObject({
  name: roleName,
  description: content.description.default(''),
  rules: content.rules.default([]),
  masks: content.masks.default([]),
  policyIds: z.array(z.string().max(64)).max(100).default([]),
})
export type NewRole = z.output<typeof newRole>

export const roleChange = z.strictObject({
  description: content.description.exactOptional(),
  rules: content.rules.exactOptional(),
  masks: content.masks.exactOptional(),
})
export type RoleChange = z.output<typeof roleChange>

export const scope = z.strictObject({ of: z.enum(familyNames), id: kind })
