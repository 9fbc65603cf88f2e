// An identity slice for tests that have no agents in them.

import type { IdentityDeps } from '../../gateway/identity/identity.ts'

export const noAgents: IdentityDeps['agents'] = {
  of: () => ({ bySlug: async () => undefined, list: async () => [] }),
}
