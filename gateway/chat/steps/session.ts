// Steps 3 and 4: which conversation it belongs to, and who wrote it.

import { idOf } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'
import type { Conversation } from '../../transcript/transcript.ts'
import type { ChatDeps } from '../deps.ts'
import type { Inbound } from '../inbound.ts'

type Needs = Pick<ChatDeps, 'transcript' | 'identity'>

/** Found or made; the same one again for whoever goes on with the message. */
export async function conversationOf(deps: Needs, inbound: Inbound): Promise<Conversation> {
  const { tenantId, agentId, channel, asked } = inbound
  const conversations = deps.transcript.of(tenantId).conversations
  const { id = inbound.conversationId, externalId } = asked.thread ?? {}
  if (inbound.conversationId !== undefined || id !== undefined) {
    const found = await conversations.get(inbound.conversationId ?? id ?? '')
    if (found === undefined || found.agentId !== agentId)
      throw new Problem('not_found', 'There is no such conversation.')
    await mayWrite(deps, inbound, found)
    if (found.status === 'closed' && inbound.conversationId === undefined)
      throw new Problem('conflict', 'This conversation is closed. Begin a new one.')
    return found
  }
  const contactId = await contactOf(deps, inbound)
  if (externalId !== undefined) {
    // A page's visitor names its own threads, and cannot guess another's.
    const own = asked.trusted ? externalId : `${contactId ?? ''}:${externalId}`
    const found = await conversations.create({ agentId, channel, externalId: own, contactId })
    if (found.agentId !== agentId) throw new Problem('conflict', 'This thread is with another agent.')
    return found
  }
  if (contactId !== undefined) return conversations.shared({ agentId, contactId }, channel)
  return conversations.create({ id: idOf('conv', inbound.id), agentId, channel })
}

/** A page's visitor is let into nobody else's conversation. */
async function mayWrite(deps: Needs, inbound: Inbound, found: Conversation): Promise<void> {
  if (inbound.asked.trusted) return
  if (found.contactId === null || found.contactId !== (await contactOf(deps, inbound)))
    throw new Problem('not_found', 'There is no such conversation.')
}

/** The CRM's contact, found or made. Undefined: the caller did not say who wrote. */
export async function contactOf({ identity }: Needs, inbound: Inbound): Promise<string | undefined> {
  const { tenantId, channel, contactId: known, asked } = inbound
  const { contactId, visitorId, email, phone, externalId, vouched } = asked.sender
  if (known !== undefined || contactId !== undefined) return known ?? contactId
  if ([visitorId, email, phone, externalId].every((each) => each === undefined)) return undefined
  const external = externalId === undefined ? undefined : { channel, id: externalId }
  return identity.contact({ tenantId, visitorId, email, phone, external, vouched })
}
