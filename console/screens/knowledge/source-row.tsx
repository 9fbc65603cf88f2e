import { useMutation, useQueryClient } from '@tanstack/react-query'
import { memo, useState } from 'react'
import type { KnowledgeSourceView } from '../../../gateway/protocol/knowledge.ts'
import { isBusy } from '../../api/knowledge-queries.ts'
import { inWords } from '../../api/problem.ts'
import { Allowed, useScope } from '../../api/scope.tsx'
import { IconButton } from '../../ui/button.tsx'
import { Confirm } from '../../ui/confirm.tsx'
import { count } from '../../ui/format.ts'
import { Icon } from '../../ui/icon.tsx'
import { notifyDone, notifyFailed } from '../../ui/notify.ts'
import { Pill } from '../../ui/pill.tsx'
import { Time } from '../../ui/time.tsx'
import { fileSize, formatNames, sourceStateNames } from './words.ts'

export function SourceHead() {
  return (
    <div className="rows-head source-grid" aria-hidden="true">
      <span>Source</span>
      <span>State</span>
      <span className="end">Passages</span>
      <span className="end">Size</span>
      <span className="end">Changed</span>
      <span />
    </div>
  )
}

export const SourceRow = memo(function SourceRow({ source }: { source: KnowledgeSourceView }) {
  return (
    <div className="source-row source-grid" data-source={source.id} data-state={source.state}>
      <span className="source-name">
        <Icon name={source.kind === 'url' ? 'globe' : 'file'} />
        <span className="source-texts">
          <strong title={source.name}>{source.name}</strong>
          <small title={source.url ?? undefined}>{source.url ?? kindOf(source)}</small>
        </span>
      </span>
      <State source={source} />
      <span className="source-chunks end number">
        {count(source.chunks)} <span className="sr">passages</span>
      </span>
      <span className="source-bytes end number quiet">{source.bytes === 0 ? '–' : fileSize(source.bytes)}</span>
      <span className="source-when end quiet">
        <Time at={source.updatedAt} />
      </span>
      <span className="source-do">
        <Allowed to="knowledge.write">
          <Moves source={source} />
        </Allowed>
      </span>
    </div>
  )
})

function kindOf({ format }: KnowledgeSourceView): string {
  return format === null ? 'Not read yet' : formatNames[format]
}

function State({ source }: { source: KnowledgeSourceView }) {
  const { text, tone } = sourceStateNames[source.state]
  return (
    <span className="source-state">
      <Pill tone={tone}>{text}</Pill>
      {source.state === 'reading' && (
        <progress max={100} value={source.progress} aria-label={`${source.name} is being read`} />
      )}
      {source.problem !== null && (
        <small className="source-problem" title={source.problem.message}>
          {source.problem.message}
        </small>
      )}
    </span>
  )
}

function Moves({ source }: { source: KnowledgeSourceView }) {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  const [asking, setAsking] = useState(false)
  const renew = () => queries.invalidateQueries({ queryKey: [tenant, 'knowledge'] })
  const again = useMutation({
    mutationFn: () => api.knowledge.readAgain(source.id),
    onSuccess: renew,
    onError: (error) => notifyFailed(inWords(error)),
  })
  const remove = useMutation({
    mutationFn: () => api.knowledge.remove(source.id),
    onSuccess: async () => {
      await renew()
      setAsking(false)
      notifyDone(`${source.name} is gone: no agent finds it any more.`)
    },
    onError: (error) => notifyFailed(inWords(error)),
  })
  return (
    <>
      <IconButton
        icon="refresh"
        label={`Read ${source.name} again`}
        disabled={again.isPending || isBusy(source)}
        onClick={() => again.mutate()}
      />
      <IconButton icon="trash" label={`Delete ${source.name}`} onClick={() => setAsking(true)} />
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={`Delete ${source.name}?`}
        text="Its passages are no longer found, by no agent. What was said with it stays in the conversations."
        action="Delete"
        danger
        busy={remove.isPending}
        onConfirm={() => remove.mutate()}
      />
    </>
  )
}
