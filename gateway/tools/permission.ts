// Whether a call runs, waits for a person or is refused, and with whose rights. Pure. What the tenant, the channel and the
// agent's lists allow is decided before, and checked again by the runner: a denial anywhere wins.

import type { AgentConfig } from '../agents/agents.ts'
import type { AuthContext } from '../platform/access.ts'
import { callVerdict } from '../protocol/call-verdict.ts'
import { shows, type ToolFacts } from './tool.ts'

/** What an agent's config says of its calls. */
export type CallPolicy = Pick<AgentConfig, 'autonomyLevel' | 'requireApprovalFor' | 'toolPermissions'>
export type ToolPermission = AgentConfig['toolPermissions'][number]

export type Verdict =
  | { readonly is: 'run' }
  | { readonly is: 'ask' }
  | { readonly is: 'refuse'; readonly message: string }

type Judged = Pick<ToolFacts, 'name' | 'category' | 'readOnly'>

/** The wire's rule, with what the model is told of a refusal. */
export function verdictOn(policy: CallPolicy, tool: Judged): Verdict {
  const is = callVerdict(policy, tool)
  return is === 'refuse' ? { is, message: 'This agent only looks things up and drafts: it changes nothing.' } : { is }
}

/** Of the tool by its name, else of all. */
export function permissionFor({ toolPermissions }: CallPolicy, name: string): ToolPermission | undefined {
  return toolPermissions.find((each) => each.tool === name) ?? toolPermissions.find((each) => each.tool === '*')
}

/** Roles that nobody named are everybody's. */
export function roleAllows({ roles }: ToolPermission, caller: Pick<AuthContext, 'roles'> | undefined): boolean {
  return roles.length === 0 || roles.some((role) => caller?.roles.includes(role) === true)
}

/** No more than the permission says: other actions are not allowed, denied fields are neither told nor to be asked by. */
export function narrowed(auth: AuthContext, { actions, deniedFields }: ToolPermission): AuthContext {
  const denied = (field: string) =>
    field === '*' ? deniedFields.length > 0 : deniedFields.some((each) => isField(field, each))
  return {
    ...auth,
    may: (ability, kind) => (actions === null || actions.includes(ability)) && auth.may(ability, kind),
    rows: (resource, kind) => auth.rows(resource, kind),
    masked: (resource, record, kind) => without(auth.masked(resource, record, kind), deniedFields),
    sees: (resource, field, kind) => !denied(field) && auth.sees(resource, field, kind),
  }
}

/** A path, or the last name of it: `phone` is `data.phone` and `data.owner.phone` too. */
const isField = (path: string, denied: string): boolean => path === denied || path.endsWith(`.${denied}`)

/** A copy without these fields, wherever they are. */
export function without<T extends object>(value: T, fields: readonly string[]): T {
  if (fields.length === 0) return value
  const bare = JSON.parse(JSON.stringify(value), dropping(fields))
  const shown = shows in value ? value[shows] : undefined
  return isShown(shown) ? { ...bare, [shows]: without(shown, fields) } : bare
}

const isShown = (value: unknown): value is object => typeof value === 'object' && value !== null

function dropping(fields: readonly string[]) {
  const names = new Set(fields.map((each) => each.slice(each.lastIndexOf('.') + 1)))
  return (key: string, value: unknown) => (names.has(key) ? undefined : value)
}
