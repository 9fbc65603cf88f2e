import { Link } from '@tanstack/react-router'
import { memo } from 'react'
import type { AuditEntryView } from '../../../gateway/protocol/access.ts'
import { Pill } from '../../ui/pill.tsx'
import { Time } from '../../ui/time.tsx'
import type { Tone } from '../../ui/words.ts'

export const outcomes: Readonly<Record<AuditEntryView['outcome'], { readonly text: string; readonly tone: Tone }>> = {
  done: { text: 'Done', tone: 'good' },
  refused: { text: 'Refused', tone: 'warn' },
  failed: { text: 'Failed', tone: 'bad' },
  begun: { text: 'Unknown', tone: 'neutral' },
}

export const actorKinds: Readonly<Record<string, string>> = {
  operator: 'person',
  key: 'API key',
  visitor: 'visitor',
  agent: 'agent',
  system: 'gateway',
  webhook: 'webhook',
}

export function AuditHead() {
  return (
    <div className="rows-head audit-grid" aria-hidden="true">
      <span>When</span>
      <span>Who</span>
      <span>What</span>
      <span>Target</span>
      <span>Outcome</span>
      <span className="end">From</span>
    </div>
  )
}

export const AuditRow = memo(function AuditRow({ entry }: { entry: AuditEntryView }) {
  const outcome = outcomes[entry.outcome]
  return (
    <Link
      to="/audit"
      search={(old) => ({ ...old, entry: entry.id })}
      replace
      activeProps={{}}
      className="row audit-grid"
      data-entry={entry.id}
      data-ability={entry.ability}
    >
      <span className="audit-when quiet">
        <Time at={entry.at} />
      </span>
      <span className="audit-who">
        <strong>{entry.actor.name || entry.actor.id}</strong>{' '}
        <span className="quiet">{actorKinds[entry.actor.kind] ?? entry.actor.kind}</span>
      </span>
      <code className="audit-what">{entry.ability}</code>
      <span className="audit-target" title={entry.target ?? undefined}>
        {entry.target === null ? <span className="quiet">–</span> : <code>{entry.target}</code>}
      </span>
      <span className="audit-outcome">
        <Pill tone={outcome.tone}>{outcome.text}</Pill>
      </span>
      <span className="audit-from end quiet number">{entry.ip || '–'}</span>
    </Link>
  )
})
