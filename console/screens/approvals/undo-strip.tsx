import { useEffect } from 'react'
import type { ApprovalView } from '../../../gateway/protocol/approvals.ts'
import { Button } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { useNow } from '../../ui/now.ts'
import type { Decisions } from './use-decisions.ts'

/** What was approved a moment ago and has not begun: one line each, with its countdown. */
export function UndoStrip({ decisions }: { decisions: Decisions }) {
  return (
    <div className="undo-strip" role="status" aria-label="Can be undone">
      {decisions.revocable.map((approval, at) => (
        <Line
          key={approval.id}
          approval={approval}
          decisions={decisions}
          newest={at === decisions.revocable.length - 1}
        />
      ))}
    </div>
  )
}

function Line({ approval, decisions, newest }: { approval: ApprovalView; decisions: Decisions; newest: boolean }) {
  const nowMs = useNow(250)
  const seconds = Math.ceil((Date.parse(approval.effectAt ?? '') - nowMs) / 1000)
  const over = !(seconds > 0)
  const { forget } = decisions
  useEffect(() => {
    if (over) forget(approval.id)
  }, [over, forget, approval.id])
  if (over) return null
  return (
    <p className="undo-line" data-undo={approval.id}>
      <Icon name="check" />
      <span className="undo-text">
        <code>{approval.tool}</code> approved.{' '}
        <span className="number" aria-hidden="true">
          Runs in {seconds} s.
        </span>
      </span>
      <Button onClick={() => void decisions.decide(approval, { is: 'undo' })}>Undo {newest && <kbd>u</kbd>}</Button>
    </p>
  )
}
