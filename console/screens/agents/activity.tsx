import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'
import type { AgentView } from '../../../gateway/protocol/agents.ts'
import type { ConversationView } from '../../../gateway/protocol/chat.ts'
import { activityQuery, agentsQuery } from '../../api/agent-queries.ts'
import { useScope } from '../../api/scope.tsx'
import { count, creditsColumn, usd } from '../../ui/format.ts'
import { Page } from '../../ui/page.tsx'
import { PagedRows } from '../../ui/paged-rows.tsx'
import { Empty, Loading, ProblemBox } from '../../ui/states.tsx'
import { ActivityHead, ActivityRow } from './activity-row.tsx'
import { AgentTabs } from './agent-tabs.tsx'
import { ConversationPanel } from './conversation-panel.tsx'
import './activity.css'

const route = getRouteApi('/inside/agents/activity')

/** What an agent is talking about, and what that took. */
export function Activity() {
  const scope = useScope()
  const asked = route.useSearch().agent
  const agents = useQuery(agentsQuery(scope))
  const agent =
    agents.data?.find((each) => each.id === asked) ??
    agents.data?.find((each) => each.status === 'active') ??
    agents.data?.[0]
  return (
    <Page title="Agents" name={`Activity · ${scope.chosen.name}`} aside={<AgentTabs />} fill>
      {agents.isPending && <Loading rows={8} label="Loading agents" />}
      {agents.isError && <ProblemBox error={agents.error} onRetry={() => void agents.refetch()} />}
      {agents.isSuccess && agent === undefined && (
        <Empty icon="agent" title="No agents yet">
          <p>Conversations appear here once an agent answers somebody.</p>
        </Empty>
      )}
      {agents.isSuccess && agent !== undefined && <Of key={agent.id} agent={agent} agents={agents.data} />}
    </Page>
  )
}

function Of({ agent, agents }: { agent: AgentView; agents: readonly AgentView[] }) {
  const scope = useScope()
  const { conversation } = route.useSearch()
  const navigate = useNavigate()
  const pages = useInfiniteQuery(activityQuery(scope, agent.id))
  const conversations = useMemo(() => pages.data?.pages.flatMap((page) => page.items) ?? [], [pages.data])
  const close = () =>
    void navigate({ to: '/agents/activity', search: ({ conversation: _, ...rest }) => rest, replace: true })
  return (
    <div className="agent-list">
      <div className="list-filter">
        <select
          className="input activity-agent"
          aria-label="Agent"
          value={agent.id}
          onChange={(event) =>
            void navigate({ to: '/agents/activity', search: (old) => ({ ...old, agent: event.target.value }) })
          }
        >
          {agents.map((each) => (
            <option key={each.id} value={each.id}>
              {each.name}
            </option>
          ))}
        </select>
        {conversations.length > 0 && <Totals conversations={conversations} more={pages.hasNextPage} />}
      </div>
      {pages.isPending && <Loading rows={8} label="Loading conversations" />}
      {pages.isError && conversations.length === 0 && (
        <ProblemBox error={pages.error} onRetry={() => void pages.refetch()} />
      )}
      {pages.isSuccess && conversations.length === 0 && (
        <Empty icon="history" title={`${agent.name} has not talked yet`}>
          <p>
            Every conversation appears here with its messages, tokens and cost: from a website, the API or any channel.
          </p>
        </Empty>
      )}
      {conversations.length > 0 && (
        <PagedRows
          label="Conversations, latest message first"
          items={conversations}
          pages={pages}
          head={<ActivityHead />}
          row={(each) => <ActivityRow conversation={each} />}
        />
      )}
      {conversation !== undefined && <ConversationPanel id={conversation} onClose={close} />}
    </div>
  )
}

function Totals({ conversations, more }: { conversations: readonly ConversationView[]; more: boolean }) {
  const sum = (of: (each: ConversationView) => number) => conversations.reduce((total, each) => total + of(each), 0)
  const active = conversations.filter((each) => each.status === 'active').length
  return (
    <dl className="summary activity-totals">
      <Total name={more ? 'latest' : 'conversations'} value={count(conversations.length)} />
      <Total name="active" value={count(active)} />
      <Total name="messages" value={count(sum((each) => each.messageCount))} />
      <Total name="tokens" value={count(sum((each) => each.tokensUsed))} />
      <Total name="provider cost" value={usd(sum((each) => each.costUsdMicro))} />
      <Total name="credits" value={creditsColumn(sum((each) => each.creditsMicro))} />
    </dl>
  )
}

function Total({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}
