import { Link } from '@tanstack/react-router'
import { memo } from 'react'
import type { ConversationStatus, ConversationView } from '../../../gateway/protocol/chat.ts'
import { count, creditsColumn, shortId, usd } from '../../ui/format.ts'
import { Pill } from '../../ui/pill.tsx'
import { Time } from '../../ui/time.tsx'
import { channelNames, type Tone } from '../../ui/words.ts'

export const conversationStatuses: Readonly<
  Record<ConversationStatus, { readonly text: string; readonly tone: Tone }>
> = {
  active: { text: 'Active', tone: 'good' },
  handed_off: { text: 'Handed over', tone: 'info' },
  closed: { text: 'Closed', tone: 'neutral' },
}

export function ActivityHead() {
  return (
    <div className="rows-head activity-grid" aria-hidden="true">
      <span>Last message</span>
      <span>Contact</span>
      <span>Channel</span>
      <span>Status</span>
      <span className="end">Messages</span>
      <span className="end">Tokens</span>
      <span className="end">Cost</span>
      <span className="end">Credits</span>
    </div>
  )
}

export const ActivityRow = memo(function ActivityRow({ conversation }: { conversation: ConversationView }) {
  const status = conversationStatuses[conversation.status]
  const who = conversation.contactId ?? conversation.externalId
  return (
    <Link
      to="/agents/activity"
      search={(old) => ({ ...old, agent: conversation.agentId, conversation: conversation.id })}
      replace
      activeProps={{}}
      className="row activity-grid"
      data-conversation={conversation.id}
    >
      <span className="activity-when quiet">
        <Time at={conversation.updatedAt} />
      </span>
      <strong className="activity-who" title={who ?? undefined}>
        {who === null ? nobody(conversation) : shortId(who)}
      </strong>
      <span className="activity-channel">{channelNames[conversation.channel]}</span>
      <span className="activity-status">
        <Pill tone={status.tone}>{status.text}</Pill>
      </span>
      <span className="activity-messages end number">
        <span data-stat="messages">{count(conversation.messageCount)}</span> <span className="sr">messages</span>
      </span>
      <span className="activity-tokens end number">
        <span data-stat="tokens">{count(conversation.tokensUsed)}</span> <span className="sr">tokens</span>
      </span>
      <span className="activity-cost end number" data-stat="cost">
        {usd(conversation.costUsdMicro)}
      </span>
      <span className="activity-credits end number">
        <span data-stat="credits">{creditsColumn(conversation.creditsMicro)}</span> <span className="sr">credits</span>
      </span>
    </Link>
  )
})

function nobody({ channel }: ConversationView): string {
  return channel === 'console' ? 'Tried out here' : 'Unknown'
}
