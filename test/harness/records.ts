// What tools stand on (entities and events joined with one another as the gateway joins them, contacts), for tests without a gateway.

import type { Db } from 'mongodb'
import { createEntities } from '../../gateway/entities/entities.ts'
import { createEvents, type Events } from '../../gateway/events/events.ts'
import { createIdentity } from '../../gateway/identity/identity.ts'
import type { AuthContext } from '../../gateway/platform/access.ts'
import { systemClock } from '../../gateway/platform/clock.ts'
import type { TenantId } from '../../gateway/platform/ids.ts'
import { createTenants } from '../../gateway/tenants/tenants.ts'
import type { Rights } from '../../gateway/tools/tools.ts'
import { authAs } from './auth.ts'
import { noAgents } from './no-agents.ts'

export function recordsIn(db: Db) {
  const entities = createEntities({ db, events: { append: (tenantId, list) => events.of(tenantId).append(list) } })
  const events: Events = createEvents({ db, clock: systemClock, unseen: (auth, refs) => entities.unseen(auth, refs) })
  const anybody = async (tenantId: TenantId): Promise<AuthContext> => authAs(tenantId)
  const rights: Rights = { agent: anybody, caller: anybody, system: (tenantId) => authAs(tenantId) }
  const identity = createIdentity({
    ...{ db, tenants: createTenants({ db }), agents: noAgents },
    ...{ publicUrl: 'http://localhost', secret: Buffer.alloc(32, 1) },
  })
  return { entities, events, rights, identity }
}
