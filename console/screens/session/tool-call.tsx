import type { Turn } from '../../../gateway/protocol/turn.ts'
import { CodeBlock } from '../../ui/copy.tsx'
import { Pill } from '../../ui/pill.tsx'
import { prettyJson } from './pretty-json.ts'

const states = {
  running: { text: 'Running', tone: 'info' },
  waiting: { text: 'Waits for approval', tone: 'warn' },
  ok: { text: 'Done', tone: 'good' },
  failed: { text: 'Failed', tone: 'bad' },
  unknown: { text: 'Not known', tone: 'warn' },
} as const

export function ToolCall({ tool }: { tool: NonNullable<Turn['tool']> }) {
  const state = states[tool.state]
  return (
    <details className="tool" open={tool.state === 'failed'} data-tool={tool.name}>
      <summary>
        <code>{tool.name}</code>
        <Pill tone={state.tone}>{state.text}</Pill>
        <span className="tool-brief">{tool.arguments}</span>
      </summary>
      <p className="tool-label">Arguments</p>
      <CodeBlock code={prettyJson(tool.arguments)} label={`arguments of ${tool.name}`} />
      {tool.output !== undefined && (
        <>
          <p className="tool-label">Output</p>
          <CodeBlock code={prettyJson(tool.output)} label={`output of ${tool.name}`} />
        </>
      )}
    </details>
  )
}
