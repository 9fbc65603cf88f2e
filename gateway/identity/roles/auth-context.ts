// The one maker of AuthContexts: from grants, whatever the credential was.

import type { Actor, AuthContext } from '../../platform/access.ts'
import type { TenantId } from '../../platform/ids.ts'
import { allows, masksOf, rowsOf, seesField } from './evaluate.ts'
import type { Grant } from './grant.ts'
import { withoutMasked } from './mask.ts'

export function authContextOf(
  tenantId: TenantId,
  { actor, grants }: { readonly actor: Actor; readonly grants: readonly Grant[] },
): AuthContext {
  return {
    tenantId,
    actor,
    roles: [...new Set(grants.map((each) => each.role))],
    may: (ability, kind) => allows(grants, ability, kind),
    rows: (resource, kind) => rowsOf(grants, { resource, kind }, actor.id),
    masked: (resource, record, kind) =>
      withoutMasked(record, masksOf(grants, { resource, kind, record, actorId: actor.id })),
    sees: (resource, field, kind) => seesField(grants, { resource, kind }, field),
  }
}
