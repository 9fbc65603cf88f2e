// Rooms that others make: a SIP dispatch rule for phone numbers, or a customer's own LiveKit backend. A room's name says
// who answers there: `parley.<site key>.<anything>`. A site key names one agent of one tenant and can be revoked.

import { Problem } from '../../platform/problem.ts'
import type { Caller } from '../realtime/caller.ts'
import type { Desk, DeskDeps } from './desk.ts'
import { agentIdentity } from './tokens.ts'
import type { Entered } from './webhook.ts'

type Deps = DeskDeps & { readonly desk: Desk }

const namedRoom = /^parley\.(pk_[A-Za-z0-9_]{8,60})\./

/** The site key that a room's name carries. */
export function siteKeyOf(room: string): string | undefined {
  return namedRoom.exec(room)?.[1]
}

/** Nothing happens for a caller who is answered or gone already. Throws a Problem. */
export async function answerOutside(deps: Deps, entered: Entered): Promise<void> {
  const { room, identity, sip } = entered
  const key = siteKeyOf(room)
  if (key === undefined) return
  // The event may be late, or one of several of the same.
  const present = await deps.rooms.present(room)
  if (!present.some((each) => each.identity === identity)) return
  if (present.some((each) => each.identity === agentIdentity(room, identity))) return
  const caller = await calling(deps, key, entered)
  await deps.desk.open({ caller, ip: 'livekit', room, identity, after: sip ? 'send_out' : 'leave' })
}

async function calling(deps: Deps, key: string, { identity, sip }: Entered): Promise<Caller> {
  const found = await deps.identity.siteKey(key)
  if (found?.status !== 'active') throw new Problem('forbidden')
  const { tenantId, keyId, agentSlug } = found
  const agent = await deps.agents.of(tenantId).bySlug(agentSlug)
  if (agent === undefined) throw new Problem('unknown_agent')
  // The LiveKit server vouches for its participants: a phone's identity comes from its SIP trunk.
  const contactId = await deps.identity.contact({ tenantId, visitorId: `livekit:${identity}`, vouched: true })
  return { tenantId, agentId: agent.id, contactId, keyId, channel: sip ? 'voice' : 'api', trusted: false }
}
