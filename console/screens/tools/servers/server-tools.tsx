import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { McpServer, McpTool } from '../../../api/mcp-calls.ts'
import { Allowed, useScope } from '../../../api/scope.tsx'
import { toolsQuery } from '../../../api/tool-queries.ts'
import { Button } from '../../../ui/button.tsx'
import { Changed } from '../../../ui/changed.tsx'
import { differences } from '../../../ui/json.ts'
import { Pill } from '../../../ui/pill.tsx'
import type { Tone } from '../../../ui/words.ts'
import { useServerMoves } from './use-server-moves.ts'

const states: Readonly<Record<McpTool['state'], { readonly text: string; readonly tone: Tone }>> = {
  on: { text: 'On', tone: 'good' },
  off: { text: 'Off', tone: 'neutral' },
  changed: { text: 'Changed: off until accepted', tone: 'warn' },
  gone: { text: 'Gone', tone: 'bad' },
}

export function ServerTools({ server }: { server: McpServer }) {
  if (server.tools.length === 0) return <p className="quiet">It has listed no tools.</p>
  return (
    <ul className="server-tools" aria-label={`Tools of ${server.name}`}>
      {server.tools.map((tool) => (
        <ServerTool key={tool.name} server={server} tool={tool} />
      ))}
      {server.leftOut.map(({ tool, why }) => (
        <li key={tool}>
          <p className="server-tool-line">
            <code>{tool}</code> <Pill>Left out</Pill> <span className="quiet">{why}</span>
          </p>
        </li>
      ))}
    </ul>
  )
}

function ServerTool({ server, tool }: { server: McpServer; tool: McpTool }) {
  const { text, tone } = states[tool.state]
  return (
    <li data-mcp-tool={tool.name}>
      <p className="server-tool-line">
        {tool.state === 'on' ? (
          <Link to="/tools/$name" params={{ name: tool.name }}>
            <code>{tool.name}</code>
          </Link>
        ) : (
          <code>{tool.name}</code>
        )}
        <Pill tone={tone}>{text}</Pill>
        {tool.readOnlyHint && <small>says that it only looks things up</small>}
      </p>
      <p className="server-tool-text">{tool.description}</p>
      {tool.state === 'changed' && tool.accepted !== null && (
        <Changed
          label={`What the server says differently of ${tool.name}`}
          changes={differences(tool.accepted, { description: tool.description, parameters: tool.parameters })}
        />
      )}
      <Allowed to="tools.write">
        <Decide server={server} tool={tool} />
      </Allowed>
    </li>
  )
}

function Decide({ server, tool }: { server: McpServer; tool: McpTool }) {
  const move = useServerMoves(server)
  const readOnly = useQuery(toolsQuery(useScope())).data?.find((each) => each.name === tool.name)?.readOnly
  const decide = (decision: Parameters<typeof send>[0]) => () => send(decision)
  const send = (decision: { accept?: string; state?: 'on' | 'off'; readOnly?: boolean }) =>
    move.mutate({ is: 'decide', tool: tool.name, decision })
  if (tool.state === 'gone') return null
  return (
    <p className="server-tool-do">
      {tool.state === 'changed' && (
        <Button variant="primary" busy={move.isPending} onClick={decide({ accept: tool.hash })}>
          Accept the change
        </Button>
      )}
      {tool.state === 'off' && (
        <Button busy={move.isPending} onClick={decide({ state: 'on' })}>
          Turn on
        </Button>
      )}
      {tool.state === 'on' && (
        <Button busy={move.isPending} onClick={decide({ state: 'off' })}>
          Turn off
        </Button>
      )}
      {tool.state === 'on' && readOnly !== undefined && (
        <Button variant="ghost" busy={move.isPending} onClick={decide({ readOnly: !readOnly })}>
          {readOnly ? 'It changes something after all' : 'I made sure: it changes nothing'}
        </Button>
      )}
    </p>
  )
}
