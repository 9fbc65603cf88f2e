import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { type FormEvent, useEffect, useRef } from 'react'
import type { AgentDetail } from '../../../../gateway/protocol/agents.ts'
import { agentQuery } from '../../../api/agent-queries.ts'
import { isMissing } from '../../../api/problem.ts'
import { Allowed, useScope } from '../../../api/scope.tsx'
import { Button } from '../../../ui/button.tsx'
import { Inspector, type Pane } from '../../../ui/inspector.tsx'
import { LeaveGuard } from '../../../ui/leave-guard.tsx'
import { folded, useMedia } from '../../../ui/media.ts'
import { Page } from '../../../ui/page.tsx'
import { Empty, Loading, ProblemBox } from '../../../ui/states.tsx'
import { AgentMenu } from '../agent-menu.tsx'
import { PlayPause } from '../agent-row.tsx'
import { AgentTabs } from '../agent-tabs.tsx'
import { StatusMark } from '../status-mark.tsx'
import { AgentForm } from './agent-form.tsx'
import { Deploy } from './deploy.tsx'

import { PromptPane } from './prompt-pane.tsx'
import { TestPane } from './test-pane.tsx'
import { type Draft, useDraft } from './use-draft.ts'
import { VersionsPane } from './versions-pane.tsx'
import './editor.css'

const route = getRouteApi('/inside/agents/$agentId')

export function AgentEditor() {
  const { agentId } = route.useParams()
  const scope = useScope()
  const agent = useQuery(agentQuery(scope, agentId))
  if (agent.isSuccess) return <Editor key={agentId} agent={agent.data} />
  return (
    <Page title="Agents" name={`Agent · ${scope.chosen.name}`} aside={<AgentTabs />} fill>
      {agent.isPending && <Loading rows={10} label="Loading the agent" />}
      {agent.isError && isMissing(agent.error) && (
        <Empty icon="agent" title="There is no such agent">
          <p>
            It was deleted, or it belongs to another tenant. <Link to="/agents">Show all agents</Link>
          </p>
        </Empty>
      )}
      {agent.isError && !isMissing(agent.error) && (
        <ProblemBox error={agent.error} onRetry={() => void agent.refetch()} />
      )}
    </Page>
  )
}

function Editor({ agent }: { agent: AgentDetail }) {
  const { chosen } = useScope()
  const draft = useDraft(agent)
  const form = useRef<HTMLFormElement>(null)
  useSaveKey(form)
  return (
    <Page
      title={agent.name}
      name={`${agent.name} · ${chosen.name}`}
      aside={<AgentTabs editing={agent} />}
      actions={<Actions agent={agent} draft={draft} />}
      fill
    >
      <Columns agent={agent} draft={draft} form={form} />
      <LeaveGuard dirty={draft.dirty} />
    </Page>
  )
}

function Actions({ agent, draft }: { agent: AgentDetail; draft: Draft }) {
  return (
    <>
      <span className="editor-state">
        <StatusMark status={agent.status} />
        <span className="quiet number wide-only">
          {agent.version === 0 ? 'not deployed' : `v${agent.version} live`} · draft v{agent.draftVersion}
        </span>
      </span>
      <PlayPause agent={agent} />
      <AgentMenu agent={agent} />
      <Allowed to="agents.write">
        <Button type="submit" form="agent-form" busy={draft.saving} disabled={!draft.dirty} title="Ctrl S or ⌘ S">
          {draft.dirty ? 'Save draft' : 'Saved'}
        </Button>
      </Allowed>
      <Deploy agent={agent} draft={draft} />
    </>
  )
}

interface ColumnsProps {
  readonly agent: AgentDetail
  readonly draft: Draft
  readonly form: { readonly current: HTMLFormElement | null }
}

function Columns({ agent, draft, form }: ColumnsProps) {
  const narrow = useMedia(folded)
  const fields = <AgentForm agent={agent} draft={draft} formRef={form} onSubmit={(event) => submit(event, draft)} />
  const panes: Pane[] = [
    { id: 'try', name: 'Try it', content: <TestPane agent={agent} />, fill: true, keep: true },
    { id: 'prompt', name: 'Prompt', content: <PromptPane agent={agent} dirty={draft.dirty} /> },
    { id: 'versions', name: 'Versions', content: <VersionsPane agent={agent} dirty={draft.dirty} /> },
  ]
  if (narrow) {
    const first: Pane = { id: 'form', name: 'Form', content: fields, fill: true, keep: true }
    return <Inspector label="Agent" panes={[first, ...panes]} />
  }
  return (
    <div className="editor-columns">
      {fields}
      <aside className="editor-side" aria-label="Try, prompt and versions">
        <Inspector label="Try, prompt and versions" panes={panes} />
      </aside>
    </div>
  )
}

function submit(event: FormEvent<HTMLFormElement>, draft: Draft): void {
  event.preventDefault()
  const form = event.currentTarget
  // What the browser or a number field refuses never reaches the gateway; the rest is for the gateway to judge.
  const wrong = form.querySelector<HTMLElement>('input:invalid, textarea:invalid, select:invalid')
  if (wrong !== null) {
    wrong.focus()
    return
  }
  void draft.save().then((saved) => {
    if (!saved) requestAnimationFrame(() => form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus())
  })
}

function useSaveKey(form: { readonly current: HTMLFormElement | null }): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 's' || !(event.metaKey || event.ctrlKey) || event.altKey) return
      event.preventDefault()
      form.current?.requestSubmit()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [form])
}
