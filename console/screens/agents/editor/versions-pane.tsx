import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { AgentDetail, AgentVersionView } from '../../../../gateway/protocol/agents.ts'
import type { VersionName } from '../../../api/agent-calls.ts'
import { versionsQuery } from '../../../api/agent-queries.ts'
import { inWords } from '../../../api/problem.ts'
import { Allowed, useScope } from '../../../api/scope.tsx'
import { Button } from '../../../ui/button.tsx'
import { Confirm } from '../../../ui/confirm.tsx'
import { notifyDone, notifyFailed } from '../../../ui/notify.ts'
import { Pill } from '../../../ui/pill.tsx'
import { Loading, ProblemBox } from '../../../ui/states.tsx'
import { Time } from '../../../ui/time.tsx'
import { Changes } from './changes.tsx'

export function VersionsPane({ agent, dirty }: { agent: AgentDetail; dirty: boolean }) {
  const versions = useQuery({ ...versionsQuery(useScope(), agent.id), staleTime: 0 })
  const [shown, setShown] = useState<number>()
  return (
    <div className="side-pane">
      {dirty && <p className="side-note">Your changes become a version when you save them.</p>}
      {versions.isPending && <Loading rows={5} label="Loading versions" />}
      {versions.isError && <ProblemBox error={versions.error} onRetry={() => void versions.refetch()} />}
      <ol className="versions" aria-label="Versions, newest first">
        {versions.data?.items.map((version) => (
          <Version
            key={version.number}
            agent={agent}
            version={version}
            open={shown === version.number}
            onToggle={() => setShown((old) => (old === version.number ? undefined : version.number))}
          />
        ))}
      </ol>
    </div>
  )
}

interface VersionProps {
  readonly agent: AgentDetail
  readonly version: AgentVersionView
  readonly open: boolean
  readonly onToggle: () => void
}

function Version({ agent, version, open, onToggle }: VersionProps) {
  const rolling = agent.rollout?.version === version.number
  // Against what people get; the live one against the draft.
  const other: VersionName = version.isLive ? 'draft' : 'live'
  const comparable = agent.live !== null && !(version.isLive && version.isDraft)
  return (
    <li className="version" data-version={version.number}>
      <div className="version-line">
        <strong className="number">v{version.number}</strong>
        {version.isLive && <Pill tone="good">Live</Pill>}
        {version.isDraft && <Pill tone="info">Draft</Pill>}
        {rolling && <Pill tone="warn">{agent.rollout?.percent} % of people</Pill>}
        <span className="version-do">
          {comparable && (
            <Button variant="ghost" aria-expanded={open} onClick={onToggle}>
              {version.isLive ? 'Compare with draft' : 'Compare with live'}
            </Button>
          )}
          {!version.isLive && agent.live !== null && !version.isDraft && (
            <Allowed to="agents.deploy">
              <Rollback agent={agent} version={version.number} />
            </Allowed>
          )}
        </span>
      </div>
      {version.note !== '' && <p>{version.note}</p>}
      <p className="quiet">
        <Time at={version.at} /> by {version.author.name}
      </p>
      {open && <Changes agent={agent} from={other} to={version.number} />}
    </li>
  )
}

function Rollback({ agent, version }: { agent: AgentDetail; version: number }) {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  const [asking, setAsking] = useState(false)
  const run = useMutation({
    mutationFn: () => api.agents.rollback(agent.id, version),
    onSuccess: async (detail) => {
      queries.setQueryData([tenant, 'agents', agent.id], detail)
      await queries.invalidateQueries({ queryKey: [tenant, 'agents'] })
      setAsking(false)
      notifyDone(`v${version} is live again.`)
    },
    onError: (error) => notifyFailed(inWords(error)),
  })
  return (
    <>
      <Button variant="ghost" onClick={() => setAsking(true)}>
        Roll back
      </Button>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={`Roll back to v${version}?`}
        text="New conversations get this version at once. The draft stays as it is."
        action="Roll back"
        busy={run.isPending}
        onConfirm={() => run.mutate()}
      />
    </>
  )
}
