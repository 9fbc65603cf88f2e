import { useQuery } from '@tanstack/react-query'
import { useMemo, useRef, useState } from 'react'
import type { AgentStatus, AgentView } from '../../../gateway/protocol/agents.ts'
import { agentsQuery } from '../../api/agent-queries.ts'
import { Allowed, useMay, useScope } from '../../api/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { useHotkeys } from '../../ui/hotkey-context.tsx'
import { Icon } from '../../ui/icon.tsx'
import { phone, useMedia } from '../../ui/media.ts'
import { Page } from '../../ui/page.tsx'
import { Empty, Loading, ProblemBox } from '../../ui/states.tsx'
import { VirtualRows } from '../../ui/virtual-rows.tsx'
import { AgentHead, AgentRow } from './agent-row.tsx'
import { AgentTabs } from './agent-tabs.tsx'
import { CreateAgent } from './create-agent.tsx'
import { ImportAgent } from './import-agent.tsx'
import { statusNames } from './words.ts'

export function Agents() {
  const scope = useScope()
  const may = useMay()
  const agents = useQuery(agentsQuery(scope))
  const [creating, setCreating] = useState(false)
  useHotkeys(useMemo(() => ({ n: () => setCreating(true) }), []))
  return (
    <Page
      title="Agents"
      name={`Agents · ${scope.chosen.name}`}
      aside={<AgentTabs />}
      actions={
        <>
          <Allowed to="agents.write">
            <ImportAgent />
          </Allowed>
          <Allowed to="agents.write">
            <Button variant="primary" icon="plus" onClick={() => setCreating(true)}>
              New agent
            </Button>
          </Allowed>
        </>
      }
      fill
    >
      {agents.isPending && <Loading rows={8} label="Loading agents" />}
      {agents.isError && <ProblemBox error={agents.error} onRetry={() => void agents.refetch()} />}
      {agents.isSuccess && agents.data.length === 0 && (
        <Empty icon="agent" title="No agents yet">
          <p>
            An agent answers visitors in writing and aloud. Make one, say what it should do, try it, then deploy it.
          </p>
          <Allowed to="agents.write">
            <Button variant="primary" icon="plus" onClick={() => setCreating(true)}>
              New agent
            </Button>
          </Allowed>
        </Empty>
      )}
      {agents.isSuccess && agents.data.length > 0 && <AgentList agents={agents.data} />}
      {creating && may('agents.write') && <CreateAgent onClose={() => setCreating(false)} />}
    </Page>
  )
}

type Filter = AgentStatus | 'used'
const filters: readonly Filter[] = ['used', 'active', 'paused', 'draft', 'archived']

function AgentList({ agents }: { agents: readonly AgentView[] }) {
  const [filter, setFilter] = useState<Filter>('used')
  const [text, setText] = useState('')
  const small = useMedia(phone)
  const shown = useMemo(
    () => agents.filter((agent) => passes(agent, filter) && matches(agent, text)),
    [agents, filter, text],
  )
  return (
    <div className="agent-list">
      <ListFilter agents={agents} filter={filter} onFilter={setFilter} text={text} onText={setText} />
      {shown.length === 0 ? (
        <Empty icon="search" title="No such agent">
          <p>None of the {agents.length} agents fits.</p>
          <Button
            onClick={() => {
              setText('')
              setFilter('used')
            }}
          >
            Show all in use
          </Button>
        </Empty>
      ) : (
        <VirtualRows
          label="Agents"
          count={shown.length}
          rowPx={small ? 92 : 58}
          keyOf={(index) => shown[index]?.id ?? String(index)}
          row={(index) => {
            const agent = shown[index]
            return agent && <AgentRow agent={agent} />
          }}
          head={<AgentHead />}
        />
      )}
    </div>
  )
}

interface ListFilterProps {
  readonly agents: readonly AgentView[]
  readonly filter: Filter
  readonly onFilter: (filter: Filter) => void
  readonly text: string
  readonly onText: (text: string) => void
}

function ListFilter({ agents, filter, onFilter, text, onText }: ListFilterProps) {
  const input = useRef<HTMLInputElement>(null)
  useHotkeys(useMemo(() => ({ '/': () => input.current?.focus() }), []))
  return (
    <div className="list-filter">
      <div className="search">
        <Icon name="search" />
        <input
          ref={input}
          type="search"
          className="input"
          value={text}
          onChange={(event) => onText(event.target.value)}
          placeholder="Find an agent"
          aria-label="Find an agent"
        />
      </div>
      <fieldset className="segments" aria-label="Status">
        {filters.map((one) => (
          <button key={one} type="button" aria-pressed={one === filter} onClick={() => onFilter(one)}>
            {one === 'used' ? 'In use' : statusNames[one]}{' '}
            <span className="segment-count">{agents.filter((agent) => passes(agent, one)).length}</span>
          </button>
        ))}
      </fieldset>
    </div>
  )
}

function passes(agent: AgentView, filter: Filter): boolean {
  return filter === 'used' ? agent.status !== 'archived' : agent.status === filter
}

function matches(agent: AgentView, text: string): boolean {
  const wanted = text.trim().toLowerCase()
  return `${agent.name} ${agent.displayName} ${agent.slug} ${agent.subtype}`.toLowerCase().includes(wanted)
}
