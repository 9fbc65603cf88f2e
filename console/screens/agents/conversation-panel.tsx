import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { ConversationWithMessages, MessageView } from '../../../gateway/protocol/chat.ts'
import { conversationQuery } from '../../api/agent-queries.ts'
import { inWords } from '../../api/problem.ts'
import { Allowed, useScope } from '../../api/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { CopyId } from '../../ui/copy.tsx'
import { count, creditsColumn, usd } from '../../ui/format.ts'
import { Icon } from '../../ui/icon.tsx'
import { Modal } from '../../ui/modal.tsx'
import { notifyDone, notifyFailed } from '../../ui/notify.ts'
import { Pill } from '../../ui/pill.tsx'
import { Loading, ProblemBox } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import { conversationStatuses } from './activity-row.tsx'

/** One conversation as it was written and spoken. */
export function ConversationPanel({ id, onClose }: { id: string; onClose: () => void }) {
  const conversation = useQuery(conversationQuery(useScope(), id))
  return (
    <Modal open onOpenChange={onClose} title="Conversation" wide>
      {conversation.isPending && <Loading rows={5} label="Loading the conversation" />}
      {conversation.isError && <ProblemBox error={conversation.error} onRetry={() => void conversation.refetch()} />}
      {conversation.isSuccess && <Whole conversation={conversation.data} />}
    </Modal>
  )
}

function Whole({ conversation }: { conversation: ConversationWithMessages }) {
  const status = conversationStatuses[conversation.status]
  return (
    <>
      <p className="conversation-facts">
        <Pill tone={status.tone}>{status.text}</Pill> <CopyId id={conversation.id} name="conversation id" />
        <span className="quiet number">
          {count(conversation.messageCount)} messages · {count(conversation.tokensUsed)} tokens ·{' '}
          {usd(conversation.costUsdMicro)} · {creditsColumn(conversation.creditsMicro)} credits
        </span>
      </p>
      {conversation.messages.length === 0 && <p className="quiet">Nothing was said yet.</p>}
      <ol className="messages" aria-label="Messages, oldest first">
        {conversation.messages.map((message) => (
          <Message key={message.id} message={message} />
        ))}
      </ol>
      {conversation.status === 'active' && (
        <Allowed to="conversations.write">
          <Moves id={conversation.id} />
        </Allowed>
      )}
    </>
  )
}

const names = { user: 'Contact', assistant: 'Agent', tool: 'Tool', system: 'System' } as const

function Message({ message }: { message: MessageView }) {
  return (
    <li data-role={message.role}>
      <p className="message-head">
        <strong>{names[message.role]}</strong>
        <span className="quiet">
          <Time at={message.createdAt} />
          {message.voice && ' · spoken'}
          {message.tokensUsed > 0 && ` · ${count(message.tokensUsed)} tokens`}
        </span>
      </p>
      {message.content !== '' && <p className="message-text">{message.content}</p>}
      {message.toolCalls.map((call) => (
        <details key={call.id}>
          <summary>
            <Icon name="tool" /> {call.name}
          </summary>
          <pre>{call.arguments}</pre>
        </details>
      ))}
    </li>
  )
}

function Moves({ id }: { id: string }) {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  const run = useMutation({
    mutationFn: (move: 'hand-off' | 'close') => api.agents.moveConversation(id, move),
    onSuccess: async (_, move) => {
      await Promise.all([
        queries.invalidateQueries({ queryKey: [tenant, 'conversations', id] }),
        queries.invalidateQueries({ queryKey: [tenant, 'agents'] }),
      ])
      notifyDone(move === 'close' ? 'The conversation is closed.' : 'The agent is silent: a person answers now.')
    },
    onError: (error) => notifyFailed(inWords(error)),
  })
  return (
    <div className="modal-actions">
      <Button busy={run.isPending} onClick={() => run.mutate('hand-off')}>
        Hand over to a person
      </Button>
      <Button variant="danger" busy={run.isPending} onClick={() => run.mutate('close')}>
        Close
      </Button>
    </div>
  )
}
