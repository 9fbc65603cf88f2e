import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useMemo, useRef } from 'react'
import type { ToolView } from '../../../gateway/protocol/tools.ts'
import { agentsQuery } from '../../api/agent-queries.ts'
import { Allowed, useMay, useScope } from '../../api/scope.tsx'
import { toolsQuery } from '../../api/tool-queries.ts'
import { Button } from '../../ui/button.tsx'
import { useHotkeys } from '../../ui/hotkey-context.tsx'
import { Icon } from '../../ui/icon.tsx'
import { phone, useMedia } from '../../ui/media.ts'
import { Page } from '../../ui/page.tsx'
import { Empty, Loading, ProblemBox } from '../../ui/states.tsx'
import { VirtualRows } from '../../ui/virtual-rows.tsx'
import { passes, type ToolFilter } from './filter.ts'
import { ToolHead, ToolRow } from './tool-row.tsx'
import { ToolsTabs } from './tools-tabs.tsx'
import { categoryName } from './words.ts'
import './tools.css'

const route = getRouteApi('/inside/tools')

/** Everything an agent of this tenant could be given. */
export function Tools() {
  const scope = useScope()
  const tools = useQuery(toolsQuery(scope))
  return (
    <Page
      title="Tools"
      name={`Tools · ${scope.chosen.name}`}
      aside={<ToolsTabs />}
      actions={
        <Allowed to="tools.write">
          <Link to="/tools/new" className="button" data-variant="primary">
            <Icon name="plus" /> New HTTP tool
          </Link>
        </Allowed>
      }
      fill
    >
      {tools.isPending && <Loading rows={10} label="Loading the tools" />}
      {tools.isError && <ProblemBox error={tools.error} onRetry={() => void tools.refetch()} />}
      {tools.isSuccess && <ToolList tools={tools.data} />}
    </Page>
  )
}

function ToolList({ tools }: { tools: readonly ToolView[] }) {
  const filter = route.useSearch()
  const navigate = useNavigate()
  const small = useMedia(phone)
  const users = useUsers()
  const shown = useMemo(() => tools.filter((tool) => passes(tool, filter)), [tools, filter])
  const set = (part: ToolFilter) =>
    void navigate({ to: '/tools', search: (old) => ({ ...old, ...part }), replace: true })
  return (
    <div className="tool-list">
      <Filter tools={tools} filter={filter} onFilter={set} />
      {shown.length === 0 ? (
        <Empty icon="search" title="No such tool">
          <p>None of the {tools.length} tools fits.</p>
          <Button onClick={() => set({ q: undefined, origin: undefined, effect: undefined, category: undefined })}>
            Show all
          </Button>
        </Empty>
      ) : (
        <VirtualRows
          label="Tools"
          count={shown.length}
          rowPx={small ? 84 : 54}
          keyOf={(index) => shown[index]?.name ?? String(index)}
          row={(index) => {
            const tool = shown[index]
            return tool && <ToolRow tool={tool} users={users.get(tool.name) ?? []} />
          }}
          head={<ToolHead />}
        />
      )}
    </div>
  )
}

/** Names of the agents that may use a tool, by the tool's name. */
function useUsers(): ReadonlyMap<string, readonly string[]> {
  const agents = useQuery({ ...agentsQuery(useScope()), enabled: useMay()('agents.read') }).data
  return useMemo(() => {
    const users = new Map<string, string[]>()
    for (const agent of agents ?? [])
      for (const tool of agent.tools) users.set(tool, [...(users.get(tool) ?? []), agent.name])
    return users
  }, [agents])
}

interface FilterProps {
  readonly tools: readonly ToolView[]
  readonly filter: ToolFilter
  readonly onFilter: (part: ToolFilter) => void
}

const origins = [
  { value: undefined, name: 'All' },
  { value: 'built-in', name: 'Built in' },
  { value: 'own', name: 'Your own' },
  { value: 'mcp', name: 'MCP' },
] as const
const effects = [
  { value: undefined, name: 'Any effect' },
  { value: 'reads', name: 'Looks up' },
  { value: 'changes', name: 'Changes' },
] as const

function Filter({ tools, filter, onFilter }: FilterProps) {
  const input = useRef<HTMLInputElement>(null)
  useHotkeys(useMemo(() => ({ '/': () => input.current?.focus() }), []))
  const categories = useMemo(() => [...new Set(tools.map((tool) => tool.category))], [tools])
  return (
    <div className="list-filter">
      <div className="search">
        <Icon name="search" />
        <input
          ref={input}
          type="search"
          className="input"
          value={filter.q ?? ''}
          onChange={(event) => onFilter({ q: event.target.value || undefined })}
          placeholder="Find a tool"
          aria-label="Find a tool"
        />
      </div>
      <fieldset className="segments" aria-label="Comes from">
        {origins.map(({ value, name }) => (
          <button
            key={name}
            type="button"
            aria-pressed={filter.origin === value}
            onClick={() => onFilter({ origin: value })}
          >
            {name}{' '}
            <span className="segment-count">
              {tools.filter((tool) => passes(tool, { ...filter, origin: value })).length}
            </span>
          </button>
        ))}
      </fieldset>
      <fieldset className="segments" aria-label="Effect">
        {effects.map(({ value, name }) => (
          <button
            key={name}
            type="button"
            aria-pressed={filter.effect === value}
            onClick={() => onFilter({ effect: value })}
          >
            {name}
          </button>
        ))}
      </fieldset>
      <select
        className="input tool-select"
        aria-label="Category"
        value={filter.category ?? ''}
        onChange={(event) => onFilter({ category: event.target.value || undefined })}
      >
        <option value="">Any category</option>
        {categories.map((category) => (
          <option key={category} value={category}>
            {categoryName(category)}
          </option>
        ))}
      </select>
    </div>
  )
}
