// What a role gives: policies, rules for rows, masks for fields; and where it gives it. Pure.

import type { RowCondition } from '../../platform/access.ts'

export interface Policy {
  /** Before the dot of an ability; `*`: every one. */
  readonly resource: string
  /** After the dot; `*`: every one. */
  readonly action: string
  /** One kind of the resource only (an entity type's slug, an agent's id). */
  readonly kind?: string
  readonly effect: 'allow' | 'deny'
  /** A denial beats what allows at its own priority and below. */
  readonly priority: number
}

/** With rules for a resource, its role shows those rows that meet every condition of at least one of them. */
export interface RowRule {
  readonly resource: string
  readonly kind?: string
  readonly conditions: readonly RowCondition[]
}

export interface FieldMask {
  readonly resource: string
  readonly kind?: string
  /** Dotted path inside the record. A list on the way is gone through. */
  readonly field: string
  /** `hide`: the field is not there. `redact`: it is, and its value is not told. */
  readonly how: 'hide' | 'redact'
}

/** A role given for one thing only gives nothing on any other, and nothing of resources that have no such thing. */
export interface Scope {
  readonly of: Family
  readonly id: string
}

export interface Grant {
  /** Name of the role. */
  readonly role: string
  readonly scope?: Scope
  readonly policies: readonly Policy[]
  readonly rules: readonly RowRule[]
  readonly masks: readonly FieldMask[]
}

/** Which resources have kinds, and in which field a record tells its own. */
export const families = {
  agent: {
    agents: 'id',
    approvals: 'agentId',
    chat: 'agentId',
    conversations: 'agentId',
    executions: 'agentId',
    realtime: 'agentId',
    sessions: 'agentId',
  },
  'entity-type': { entities: 'type', 'entity-types': 'slug' },
  'object-type': { objects: 'type' },
} as const satisfies Readonly<Record<string, Readonly<Record<string, string>>>>
export type Family = keyof typeof families

/** The family and the field of a resource's kinds; undefined for a resource that has none. */
export function kindOf(resource: string): { readonly family: Family; readonly field: string } | undefined {
  for (const family of familyNames) {
    const field = new Map<string, string>(Object.entries(families[family])).get(resource)
    if (field !== undefined) return { family, field }
  }
  return undefined
}

export const familyNames = ['agent', 'entity-type', 'object-type'] as const satisfies readonly Family[]
