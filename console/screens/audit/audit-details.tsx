import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { AuditEntryView } from '../../../gateway/protocol/access.ts'
import { CopyId } from '../../ui/copy.tsx'
import { absolute } from '../../ui/format.ts'
import { Modal } from '../../ui/modal.tsx'
import { Pill } from '../../ui/pill.tsx'
import { actorKinds, outcomes } from './audit-row.tsx'

export function AuditDetails({ entry, onClose }: { entry: AuditEntryView; onClose: () => void }) {
  const outcome = outcomes[entry.outcome]
  return (
    <Modal open onOpenChange={onClose} title={entry.ability}>
      <dl className="audit-facts">
        <Fact name="When">{absolute(entry.at)}</Fact>
        <Fact name="Who">
          {entry.actor.name} <span className="quiet">{actorKinds[entry.actor.kind] ?? entry.actor.kind}</span>
        </Fact>
        <Fact name="Who’s id">
          <CopyId id={entry.actor.id} name="id of who did it" />
        </Fact>
        <Fact name="Outcome">
          <Pill tone={outcome.tone}>{outcome.text}</Pill> {entry.status !== null && entry.status}{' '}
          {entry.code !== null && <code>{entry.code}</code>}
        </Fact>
        {entry.route !== null && (
          <Fact name="Call">
            <code>
              {entry.method} {entry.route}
            </code>
          </Fact>
        )}
        {entry.target !== null && (
          <Fact name="Target">
            <CopyId id={entry.target} name="target" />
          </Fact>
        )}
        <Fact name="From">{entry.ip || '–'}</Fact>
        <Fact name="Entry">
          <CopyId id={entry.id} name="id of the entry" />
        </Fact>
      </dl>
      <div className="modal-actions">
        <Narrow text="All by them" search={{ actor: entry.actor.id }} />
        <Narrow text="All of this kind" search={{ ability: entry.ability }} />
      </div>
    </Modal>
  )
}

function Narrow({ text, search }: { text: string; search: { actor?: string; ability?: string } }) {
  return (
    <Link to="/audit" search={({ entry: _, ...old }) => ({ ...old, ...search })} className="button">
      {text}
    </Link>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
