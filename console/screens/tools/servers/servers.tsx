import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { McpServer } from '../../../api/mcp-calls.ts'
import { Allowed, useMay, useScope } from '../../../api/scope.tsx'
import { mcpServersQuery } from '../../../api/tool-queries.ts'
import { Button, IconButton } from '../../../ui/button.tsx'
import { Confirm } from '../../../ui/confirm.tsx'
import { Page } from '../../../ui/page.tsx'
import { Pill } from '../../../ui/pill.tsx'
import { Empty, Loading, ProblemBox } from '../../../ui/states.tsx'
import { Time } from '../../../ui/time.tsx'
import { ToolsTabs } from '../tools-tabs.tsx'
import { AddServer } from './add-server.tsx'
import { ServerTools } from './server-tools.tsx'
import { useServerMoves } from './use-server-moves.ts'
import './servers.css'

/** MCP servers whose tools the tenant's agents may use. */
export function Servers() {
  const scope = useScope()
  const servers = useQuery(mcpServersQuery(scope))
  const writes = useMay()('tools.write')
  const [adding, setAdding] = useState(false)
  const add = writes && (
    <Button variant="primary" icon="plus" onClick={() => setAdding(true)}>
      Add server
    </Button>
  )
  return (
    <Page title="Tools" name={`MCP servers · ${scope.chosen.name}`} aside={<ToolsTabs />} actions={add}>
      {servers.isPending && <Loading rows={4} label="Loading the servers" />}
      {servers.isError && <ProblemBox error={servers.error} onRetry={() => void servers.refetch()} />}
      {servers.isSuccess && servers.data.length === 0 && (
        <Empty icon="plug" title="No MCP servers">
          <p>
            A server of the Model Context Protocol brings its own tools. Each is shown to you before an agent may use
            it, and again whenever the server describes it differently.
          </p>
          {add}
        </Empty>
      )}
      <ul className="servers">
        {servers.data?.map((server) => (
          <Server key={server.id} server={server} />
        ))}
      </ul>
      {adding && writes && <AddServer onClose={() => setAdding(false)} />}
    </Page>
  )
}

function Server({ server }: { server: McpServer }) {
  // What was opened, by a person or by a change, stays open when the change is accepted.
  const [open, setOpen] = useState(false)
  const on = server.tools.filter(({ state }) => state === 'on').length
  const changed = server.tools.filter(({ state }) => state === 'changed').length
  return (
    <li className="server" data-server={server.name}>
      <div className="server-line">
        <strong>{server.name}</strong>
        <code className="server-place">{server.url ?? server.process}</code>
        {!server.isOn && <Pill>Off</Pill>}
        {server.isOn && server.error === null && <Pill tone="good">{counted(on, 'tool')} on</Pill>}
        {changed > 0 && <Pill tone="warn">{changed} changed</Pill>}
        <Allowed to="tools.write">
          <Moves server={server} />
        </Allowed>
      </div>
      {server.error !== null && (
        <p className="form-issue" role="alert">
          {server.error}
        </p>
      )}
      <p className="quiet">
        {server.listedAt === null ? (
          'Never listed.'
        ) : (
          <>
            Listed <Time at={server.listedAt} />
            {server.version !== null && `, protocol ${server.version}`}.
          </>
        )}
      </p>
      <details open={open || changed > 0} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          {counted(server.tools.length, 'tool')}
          {server.leftOut.length > 0 && `, ${server.leftOut.length} left out`}
        </summary>
        <ServerTools server={server} />
      </details>
    </li>
  )
}

function counted(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`
}

function Moves({ server }: { server: McpServer }) {
  const move = useServerMoves(server)
  const [asking, setAsking] = useState(false)
  return (
    <span className="server-do">
      <IconButton
        icon="refresh"
        label={`List ${server.name} again`}
        disabled={move.isPending}
        onClick={() => move.mutate({ is: 'refresh' })}
      />
      <Button variant="ghost" busy={move.isPending} onClick={() => move.mutate({ is: 'turn', on: !server.isOn })}>
        {server.isOn ? 'Turn off' : 'Turn on'}
      </Button>
      <IconButton icon="trash" label={`Delete ${server.name}`} onClick={() => setAsking(true)} />
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={`Delete ${server.name}?`}
        text="Its tools go with it. Agents that name them go on without them."
        action="Delete"
        danger
        busy={move.isPending}
        onConfirm={() => move.mutate({ is: 'remove' }, { onSettled: () => setAsking(false) })}
      />
    </span>
  )
}
