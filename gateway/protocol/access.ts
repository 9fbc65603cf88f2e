// Roles, policies and the audit log, as sent.

export interface PolicyView {
  readonly id: string
  /** Before the dot of an ability; `*`: every one. */
  readonly resource: string
  /** After the dot; `*`: every one. */
  readonly action: string
  /** One kind of the resource only: an entity type's slug, an agent's id. */
  readonly kind?: string
  readonly effect: 'allow' | 'deny'
  /** 0 to 100: a denial beats what allows at its own priority and below. */
  readonly priority: number
  readonly description: string
}

export type RowConditionView =
  | {
      readonly is: 'field'
      readonly field: string
      readonly op: 'eq' | 'ne' | 'in'
      /** `actor.id` stands for the caller. */
      readonly values: readonly (string | number | boolean | null)[]
    }
  | { readonly is: 'relation'; readonly relation: string; readonly to: string }

export interface RowRuleView {
  readonly resource: string
  readonly kind?: string
  readonly conditions: readonly RowConditionView[]
}

export interface FieldMaskView {
  readonly resource: string
  readonly kind?: string
  readonly field: string
  readonly how: 'hide' | 'redact'
}

export interface RoleView {
  /** Of a role that every tenant has: its name. */
  readonly id: string
  readonly name: string
  readonly description: string
  readonly builtin: boolean
  /** What it allows where nothing denies it, by itself and on anything. */
  readonly abilities: readonly string[]
  readonly policyIds: readonly string[]
  readonly rules: readonly RowRuleView[]
  readonly masks: readonly FieldMaskView[]
}

export interface RoleDetail extends RoleView {
  readonly policies: readonly PolicyView[]
}

/** A role given to one person for one thing only. */
export interface AssignmentView {
  readonly id: string
  readonly operatorId: string
  readonly role: string
  readonly scope: { readonly of: 'agent' | 'entity-type' | 'object-type'; readonly id: string }
  readonly createdAt: string
}

export interface AuditEntryView {
  readonly id: string
  readonly at: string
  readonly actor: { readonly kind: string; readonly id: string; readonly name: string }
  /** `resource.action`, or what no ability stands for: `auth.sign-in`. */
  readonly ability: string
  readonly method: string | null
  readonly route: string | null
  /** Of what it was done to, or of what was made. */
  readonly target: string | null
  readonly ip: string
  /** `begun`: how it ended was not written, because the process died. */
  readonly outcome: 'begun' | 'done' | 'refused' | 'failed'
  readonly status: number | null
  readonly code: string | null
}

/** A tenant as one of its people finds it in the list of their own. */
export interface OwnTenantView {
  readonly id: string
  /** Made of the name; it stays. */
  readonly slug: string
  readonly name: string
  readonly plan: 'free' | 'pro' | 'agency' | 'enterprise'
  readonly status: 'active' | 'suspended'
  /** Names of the caller's roles there. */
  readonly roles: readonly string[]
}
