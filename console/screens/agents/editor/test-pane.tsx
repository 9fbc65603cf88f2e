import { Link } from '@tanstack/react-router'
import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from 'react'
import type { AgentDetail } from '../../../../gateway/protocol/agents.ts'
import { useMay } from '../../../api/scope.tsx'
import { Button, IconButton } from '../../../ui/button.tsx'
import { count, creditsColumn, latency } from '../../../ui/format.ts'
import { Icon } from '../../../ui/icon.tsx'
import { Empty } from '../../../ui/states.tsx'
import { unknownWord } from '../../../ui/words.ts'
import { type TestLine, type TestTool, useTestChat } from './use-test-chat.ts'
import './test-pane.css'

/** A conversation with what is live, through the door that customers use. */
export function TestPane({ agent }: { agent: AgentDetail }) {
  const chat = useTestChat(agent.slug)
  const log = useRef<HTMLDivElement>(null)
  const { lines } = chat
  useEffect(() => {
    // Follows the newest words, unless somebody scrolled up to read.
    const box = log.current
    if (box !== null && lines.length > 0 && box.scrollHeight - box.scrollTop - box.clientHeight < 160)
      box.scrollTop = box.scrollHeight
  }, [lines])
  return (
    <div className="test">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <div className="test-log" ref={log} role="log" aria-label="Test conversation" aria-live="off" tabIndex={0}>
        {lines.length === 0 && <Before agent={agent} />}
        {lines.map((line, at) => (
          <Line key={at} line={line} />
        ))}
      </div>
      <p className="sr" role="status">
        {spokenOf(lines)}
      </p>
      <Composer agent={agent} chat={chat} />
    </div>
  )
}

function Before({ agent }: { agent: AgentDetail }) {
  if (agent.live === null)
    return (
      <Empty icon="agent" title="Nothing to talk to yet">
        <p>Deploy the draft; then it answers here as it answers everywhere.</p>
      </Empty>
    )
  if (agent.status !== 'active')
    return (
      <Empty icon="pause" title="It answers nobody">
        <p>The agent is {agent.status}. Activate it to talk to it.</p>
      </Empty>
    )
  return (
    <Empty icon="agent" title={`Talk to ${agent.displayName || agent.name}`}>
      <p>
        This is v{agent.version}, as people get it: tools run, credits are spent, and the conversation is kept under{' '}
        <Link to="/agents/activity" search={(old) => ({ ...old, agent: agent.id })}>
          Activity
        </Link>
        .
      </p>
    </Empty>
  )
}

function Line({ line }: { line: TestLine }) {
  if (line.is === 'asked') return <p className="test-asked">{line.text}</p>
  const waiting = line.reply === undefined && line.failed === undefined
  return (
    <div className="test-answer">
      {line.tools.map((tool) => (
        <Tool key={tool.callId} tool={tool} />
      ))}
      {line.text !== '' && <p data-answer>{line.text}</p>}
      {waiting && (
        <p className="test-step">
          <span className="test-dots" aria-hidden="true" />
          {line.text === '' ? 'Thinking' : 'Writing'}
        </p>
      )}
      {line.reply?.finish === 'handed_off' && <p className="quiet">Handed over: a person answers from here.</p>}
      {line.failed !== undefined && (
        <p className="test-failed">
          <Icon name="alert" /> {line.failed}
        </p>
      )}
      {line.reply !== undefined && <Cost reply={line.reply} />}
    </div>
  )
}

function Tool({ tool }: { tool: TestTool }) {
  const how = tool.ok === undefined ? 'runs …' : tool.ok ? 'done' : 'failed'
  return (
    <p className="test-tool" data-failed={tool.ok === false || undefined}>
      <Icon name="tool" /> {tool.name} {how}
    </p>
  )
}

function Cost({ reply }: { reply: NonNullable<Extract<TestLine, { is: 'answer' }>['reply']> }) {
  const ms = reply.steps.reduce((sum, step) => sum + step.ms, 0)
  return (
    <details className="test-cost">
      <summary className="number">
        {reply.model || 'no model'} · {count(reply.usage.inputTokens + reply.usage.outputTokens)} tokens ·{' '}
        {creditsColumn(reply.creditsMicro)} credits · {latency(ms)}
      </summary>
      <ol>
        {reply.steps.map((step) => (
          <li key={step.name} data-outcome={step.outcome}>
            <span>{unknownWord(step.name)}</span>
            <span className="number">{step.outcome === 'ok' ? `${Math.round(step.ms)} ms` : step.outcome}</span>
          </li>
        ))}
      </ol>
    </details>
  )
}

function Composer({ agent, chat }: { agent: AgentDetail; chat: ReturnType<typeof useTestChat> }) {
  const [text, setText] = useState('')
  const may = useMay()
  const can = may('chat.create') && agent.live !== null && agent.status === 'active'
  const submit = (event?: FormEvent) => {
    event?.preventDefault()
    if (text.trim() === '' || chat.busy || !can) return
    setText('')
    void chat.send(text.trim())
  }
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    submit()
  }
  return (
    <form className="test-composer" onSubmit={submit}>
      <textarea
        className="input"
        rows={1}
        maxLength={8_000}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKey}
        placeholder="Write as a visitor would"
        aria-label={`Message to ${agent.name}`}
        disabled={!can}
      />
      {chat.busy ? (
        <Button icon="stop" onClick={chat.stop}>
          Stop
        </Button>
      ) : (
        <Button type="submit" variant="primary" icon="send" disabled={!can || text.trim() === ''}>
          Send
        </Button>
      )}
      {chat.lines.length > 0 && <IconButton icon="plus" label="New conversation" onClick={chat.startAnew} />}
    </form>
  )
}

/** Only whole answers are read aloud. */
function spokenOf(lines: readonly TestLine[]): string {
  const last = lines.at(-1)
  if (last?.is !== 'answer') return ''
  return last.failed ?? (last.reply === undefined ? '' : last.text)
}
