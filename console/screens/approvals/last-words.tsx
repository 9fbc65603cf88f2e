import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ApprovalView } from '../../../gateway/protocol/approvals.ts'
import { conversationQuery } from '../../api/agent-queries.ts'
import { useMay, useScope } from '../../api/scope.tsx'
import { Loading, ProblemBox } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import { roleNames } from '../../ui/words.ts'

const shownMessages = 4
const speakers = { user: roleNames.user, assistant: roleNames.agent, tool: roleNames.tool, system: roleNames.system }

/** What was said just before: why the agent asks. */
export function LastWords({ approval }: { approval: ApprovalView }) {
  const may = useMay()
  return (
    <section className="approval-part" aria-label="The conversation’s last words">
      <h3>Last words</h3>
      {may('conversations.read') ? (
        <Words id={approval.conversationId} />
      ) : (
        <p className="quiet">Your role may not read conversations.</p>
      )}
      <p className="approval-links">
        {approval.sessionId !== null && may('sessions.read') && (
          <Link to="/sessions/$sessionId" params={{ sessionId: approval.sessionId }}>
            The whole session
          </Link>
        )}
        {may('conversations.read') && (
          <Link
            to="/agents/activity"
            search={({ tenant }) => ({
              ...(tenant === undefined ? {} : { tenant }),
              agent: approval.agentId,
              conversation: approval.conversationId,
            })}
          >
            The whole conversation
          </Link>
        )}
      </p>
    </section>
  )
}

function Words({ id }: { id: string }) {
  const conversation = useQuery(conversationQuery(useScope(), id))
  if (conversation.isPending) return <Loading rows={3} label="Loading the last words" />
  if (conversation.isError) return <ProblemBox error={conversation.error} />
  const last = conversation.data.messages.filter(({ content }) => content !== '').slice(-shownMessages)
  if (last.length === 0) return <p className="quiet">Nothing was said yet.</p>
  return (
    <ol className="last-words">
      {last.map((message) => (
        <li key={message.id} data-role={message.role}>
          <span className="quiet">
            {speakers[message.role]} · <Time at={message.createdAt} />
          </span>
          <p>{message.content}</p>
        </li>
      ))}
    </ol>
  )
}
