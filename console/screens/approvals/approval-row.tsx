import { Link } from '@tanstack/react-router'
import { memo } from 'react'
import type { ApprovalView } from '../../../gateway/protocol/approvals.ts'
import { Pill } from '../../ui/pill.tsx'
import { channelName } from '../../ui/session-bits.tsx'
import { Time } from '../../ui/time.tsx'
import { Deadline } from './deadline.tsx'
import { argumentsOf, stateWords } from './words.ts'

/** `shown`: it is the one that is open beside the list. */
export const ApprovalRow = memo(function ApprovalRow({ approval, shown }: { approval: ApprovalView; shown: boolean }) {
  const { text, tone } = stateWords(approval.state)
  return (
    <Link
      to="."
      search={(old) => ({ ...old, approval: approval.id })}
      replace
      activeProps={{}}
      className="row approval-row"
      data-approval={approval.id}
      aria-current={shown || undefined}
    >
      <strong className="approval-tool">{approval.tool}</strong>
      <span className="approval-when end">
        {approval.state === 'pending' ? (
          <>
            <span className="sr">time left</span> <Deadline at={approval.expiresAt} />
          </>
        ) : (
          <Pill tone={tone}>{text}</Pill>
        )}
      </span>
      <span className="approval-what quiet">{summaryOf(approval)}</span>
      <span className="approval-who quiet">
        {approval.agentName} · {channelName(approval.channel)} ·{' '}
        <Time at={approval.decidedAt ?? approval.requestedAt} />
      </span>
    </Link>
  )
})

/** The values of the arguments in one line: what tells two requests of one tool apart. */
function summaryOf(approval: ApprovalView): string {
  const values = Object.values(argumentsOf(approval))
  return values.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join(' · ') || 'no arguments'
}
