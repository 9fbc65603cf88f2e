// Who is calling and what they may do, in one shape whatever the credential was. Made by identity; everybody else asks it.

import type { TenantId } from './ids.ts'

/** `resource.action`. What a route needs, what a role gives, what a policy allows or denies. */
export const abilities = [
  'agents.read',
  'agents.write',
  'agents.deploy',
  'approvals.decide',
  'approvals.read',
  'audit.read',
  'chat.create',
  'contacts.read',
  'contacts.write',
  'conversations.read',
  'conversations.write',
  'credits.read',
  'credits.write',
  'entities.read',
  'entities.write',
  'entity-types.write',
  'events.read',
  'events.write',
  'executions.read',
  'keys.read',
  'keys.write',
  'knowledge.read',
  'knowledge.write',
  'objects.read',
  'objects.write',
  'realtime.create',
  'roles.read',
  'roles.write',
  'secrets.read',
  'secrets.write',
  'sessions.end',
  'sessions.read',
  'team.read',
  'team.write',
  'tenant.read',
  'tenant.write',
  'tools.read',
  'tools.write',
  'usage.read',
  'webhooks.read',
  'webhooks.write',
] as const
export type Ability = (typeof abilities)[number]

/** The verified caller, for records of who did something. */
export interface Actor {
  readonly kind: 'operator' | 'key' | 'visitor' | 'agent' | 'system' | 'webhook'
  readonly id: string
  readonly name: string
}

/** One condition of a row: a field of it, or a relation that it has. `actor.id` stands for the caller's own id. */
export type RowCondition =
  | {
      readonly is: 'field'
      /** Dotted path inside the record, e.g. `data.ownerId`. */
      readonly field: string
      /** `eq` and `in`: one of the values. `ne`: none of them. */
      readonly op: 'eq' | 'ne' | 'in'
      readonly values: readonly (string | number | boolean | null)[]
    }
  | { readonly is: 'relation'; readonly relation: string; readonly to: string }

/** Which rows of a resource the caller sees. `some`: those that meet every condition of at least one list. */
export type Rows =
  | { readonly is: 'all' }
  | { readonly is: 'none' }
  | { readonly is: 'some'; readonly anyOf: readonly (readonly RowCondition[])[] }

export interface AuthContext {
  readonly tenantId: TenantId
  readonly actor: Actor
  /** Names of the roles behind it. */
  readonly roles: readonly string[]
  /**
   * A denial of equal or higher priority beats what allows. `kind` narrows the resource (an entity type's slug, an agent's
   * id): a role bound to one kind gives nothing on another. Without `kind`: whether there is anything it could be allowed on;
   * with `*`: whether it is allowed on everything.
   */
  may(ability: Ability, kind?: string): boolean
  /** Applied inside the store's query, so that counts, search and pages tell nothing of other rows. `resource`: before the dot. */
  rows(resource: string, kind?: string): Rows
  /** A copy without the fields that are hidden from the caller, and with those redacted that are only to be known of. */
  masked<T extends object>(resource: string, record: T, kind?: string): T
  /** Whether a filter, a search or a sort may use the field (`*`: any): what is masked must not be guessed by asking. */
  sees(resource: string, field: string, kind?: string): boolean
}
