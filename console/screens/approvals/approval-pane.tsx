import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useMemo, useState } from 'react'
import type { ApprovalDetail } from '../../../gateway/protocol/approvals.ts'
import { approvalQuery } from '../../api/approval-queries.ts'
import { isMissing } from '../../api/problem.ts'
import { useMay, useScope } from '../../api/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/confirm.tsx'
import { shortId } from '../../ui/format.ts'
import { useHotkeys } from '../../ui/hotkey-context.tsx'
import { channelName } from '../../ui/session-bits.tsx'
import { Empty, Loading, ProblemBox } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import { Arguments, EditArguments } from './arguments.tsx'
import { Deadline } from './deadline.tsx'
import { LastWords } from './last-words.tsx'
import { Outcome } from './outcome.tsx'
import type { Decision } from './use-decisions.ts'

interface PaneProps {
  readonly id: string
  readonly busy: boolean
  /** True: it is decided. */
  readonly onDecide: (approval: ApprovalDetail, decision: Decision) => Promise<boolean>
  readonly onClose: () => void
}

/** One request: who wants what, why, with which arguments; and the decision. */
export function ApprovalPane({ id, busy, onDecide, onClose }: PaneProps) {
  const approval = useQuery(approvalQuery(useScope(), id))
  return (
    <article className="approval-pane" aria-label="Request">
      <Button variant="ghost" icon="back" className="approval-back" onClick={onClose}>
        All requests
      </Button>
      {approval.isPending && <Loading rows={6} label="Loading the request" />}
      {approval.isError && isMissing(approval.error) && (
        <Empty icon="shield" title="There is no such request">
          <p>It belongs to another tenant, or to an agent that your role does not cover.</p>
        </Empty>
      )}
      {approval.isError && !isMissing(approval.error) && (
        <ProblemBox error={approval.error} onRetry={() => void approval.refetch()} />
      )}
      {approval.isSuccess && <Whole key={id} approval={approval.data} busy={busy} onDecide={onDecide} />}
    </article>
  )
}

type Doing = 'looking' | 'editing' | 'rejecting'

function Whole({ approval, busy, onDecide }: Pick<PaneProps, 'busy' | 'onDecide'> & { approval: ApprovalDetail }) {
  const [doing, setDoing] = useState<Doing>('looking')
  const waits = approval.state === 'pending'
  const decides = useMay()('approvals.decide') && waits
  const decide = (decision: Decision) =>
    void onDecide(approval, decision).then((done) => {
      if (done) setDoing('looking')
    })
  const editing = decides && doing === 'editing'
  return (
    <>
      <Head approval={approval} />
      <LastWords approval={approval} />
      {!waits && <Outcome approval={approval} />}
      {editing ? (
        <EditArguments
          approval={approval}
          busy={busy}
          onApprove={(edited, note) =>
            decide({ is: 'approve', ...(edited === undefined ? {} : { edited }), ...(note === '' ? {} : { note }) })
          }
          onCancel={() => setDoing('looking')}
        />
      ) : (
        <Arguments approval={approval} />
      )}
      {decides && !editing && <Choices approval={approval} busy={busy} decide={decide} onDo={setDoing} />}
      {waits && !decides && <p className="quiet approval-part">Your role may look at requests, not decide on them.</p>}
      <Confirm
        open={decides && doing === 'rejecting'}
        onOpenChange={(open) => setDoing(open ? 'rejecting' : 'looking')}
        title={`Reject ${approval.tool}?`}
        text="The tool does not run. The agent tells the contact, and may give your reason in its own words."
        action="Reject"
        danger
        busy={busy}
        reason={{ label: 'Reason', suggestions: ['Not allowed', 'Wrong details', 'I will do it myself'] }}
        onConfirm={(reason) => decide({ is: 'reject', reason })}
      />
    </>
  )
}

function Head({ approval }: { approval: ApprovalDetail }) {
  return (
    <header className="approval-head">
      <h2>
        {approval.agentName} wants to use <code>{approval.tool}</code>
      </h2>
      {approval.description !== null && <p>{firstSentence(approval.description)}</p>}
      <dl className="approval-facts">
        <Fact name="Agent">
          <Link to="/agents/$agentId" params={{ agentId: approval.agentId }}>
            {approval.agentName}
          </Link>{' '}
          <span className="quiet">v{approval.agentVersion}</span>
        </Fact>
        <Fact name="Channel">{channelName(approval.channel)}</Fact>
        <Fact name="Contact">
          {approval.contactId === null ? (
            <span className="quiet">unknown</span>
          ) : (
            <code title={approval.contactId}>{shortId(approval.contactId)}</code>
          )}
        </Fact>
        <Fact name="Asked">
          <Time at={approval.requestedAt} />
        </Fact>
        {approval.state === 'pending' && (
          <Fact name="Time left">
            <Deadline at={approval.expiresAt} />
          </Fact>
        )}
      </dl>
    </header>
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

interface ChoicesProps {
  readonly approval: ApprovalDetail
  readonly busy: boolean
  readonly decide: (decision: Decision) => void
  readonly onDo: (doing: Doing) => void
}

function Choices({ approval, busy, decide, onDo }: ChoicesProps) {
  const editable = approval.parameters !== null
  const bindings = useMemo(
    () => ({
      a: () => {
        if (!busy) decide({ is: 'approve' })
      },
      r: () => onDo('rejecting'),
      ...(editable ? { e: () => onDo('editing') } : {}),
    }),
    [busy, decide, onDo, editable],
  )
  useHotkeys(bindings)
  return (
    <div className="approval-actions">
      <Button variant="primary" icon="check" busy={busy} onClick={() => decide({ is: 'approve' })}>
        Approve <kbd>a</kbd>
      </Button>
      {editable && (
        <Button icon="edit" onClick={() => onDo('editing')}>
          Edit <kbd>e</kbd>
        </Button>
      )}
      <Button variant="danger" icon="close" onClick={() => onDo('rejecting')}>
        Reject <kbd>r</kbd>
      </Button>
    </div>
  )
}

function firstSentence(text: string): string {
  return /^.*?[.!?](?=\s|$)/s.exec(text)?.[0] ?? text
}
