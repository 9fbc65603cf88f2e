// Whether somebody has answered an e-mail.

import type { TenantId } from '../../platform/ids.ts'
import type { Turn } from '../../protocol/turn.ts'
import type { Transcript } from '../../transcript/transcript.ts'

export type HasReplied = (tenantId: TenantId, contactId: string, since: Date) => Promise<boolean>

/** By e-mail: what somebody writes on another channel is no answer to one. Of the last conversations, the last turns. */
export function hasReplied(transcript: Pick<Transcript, 'of'>): HasReplied {
  return async (tenantId, contactId, since) => {
    const mine = transcript.of(tenantId)
    const { items } = await mine.conversations.list({ contactId, limit: 5 })
    const lately = items.filter(({ updatedAt }) => Date.parse(updatedAt) >= since.getTime())
    const turns = await Promise.all(lately.map(({ id }) => mine.ofConversation(id, 50)))
    const isReply = ({ role, channel, createdAt }: Turn) =>
      role === 'user' && channel === 'email' && Date.parse(createdAt) >= since.getTime()
    return turns.flat().some(isReply)
  }
}
