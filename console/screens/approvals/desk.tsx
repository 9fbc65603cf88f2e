// The queue beside the request that is open; used by the screen of its own and by the agents' tab.

import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useCallback, useEffect, useMemo } from 'react'
import type { ApprovalDetail, ApprovalView } from '../../../gateway/protocol/approvals.ts'
import { agentsQuery } from '../../api/agent-queries.ts'
import { decidedQuery, waitingQuery } from '../../api/approval-queries.ts'
import { useMay, useScope } from '../../api/scope.tsx'
import { useHotkeys } from '../../ui/hotkey-context.tsx'
import { phone, useMedia } from '../../ui/media.ts'
import { PagedRows } from '../../ui/paged-rows.tsx'
import { Empty, Loading, ProblemBox } from '../../ui/states.tsx'
import { VirtualRows } from '../../ui/virtual-rows.tsx'
import { ApprovalPane } from './approval-pane.tsx'
import { ApprovalRow } from './approval-row.tsx'
import type { ApprovalsSearch } from './search.ts'
import { UndoStrip } from './undo-strip.tsx'
import { type Decision, type Decisions, useDecisions } from './use-decisions.ts'
import { decidedStates, stateWords } from './words.ts'
import './approvals.css'

interface DeskProps {
  readonly search: ApprovalsSearch
}

export function Desk({ search }: DeskProps) {
  const set = useSearchChange()
  const waiting = useWaiting(search.agent)
  const decisions = useDecisions()
  const small = useMedia(phone)
  const queue = waiting.data ?? []
  const history = search.show === 'decided'
  // Where there is room for both, the first of the queue is open from the start.
  const shown = search.approval ?? (small || history ? undefined : queue[0]?.id)
  const decide = async (approval: ApprovalDetail, decision: Decision) => {
    const next = neighbour(queue, approval.id)
    const done = await decisions.decide(approval, decision)
    if (done) set({ approval: small || history ? undefined : next })
    return done
  }
  useDeskKeys(history ? [] : queue, shown, decisions)
  return (
    <div className="desk">
      <Filters search={search} waiting={queue.length} />
      <div className="desk-columns" data-open={shown !== undefined || undefined}>
        <div className="desk-list">
          {history ? <Decided search={search} shown={shown} /> : <Waiting waiting={waiting} shown={shown} />}
        </div>
        {shown === undefined ? (
          <p className="desk-none quiet">{history ? 'Choose a request to see what came of it.' : ''}</p>
        ) : (
          <ApprovalPane
            key={shown}
            id={shown}
            busy={decisions.busy}
            onDecide={decide}
            onClose={() => set({ approval: undefined })}
          />
        )}
      </div>
      <UndoStrip decisions={decisions} />
    </div>
  )
}

/** The address is the state: it can be sent to somebody else. */
function useSearchChange() {
  const navigate = useNavigate()
  return useCallback(
    (part: ApprovalsSearch) => void navigate({ to: '.', search: (old) => ({ ...old, ...part }), replace: true }),
    [navigate],
  )
}

function useWaiting(agentId: string | undefined) {
  const waiting = useQuery(waitingQuery(useScope()))
  const { data } = waiting
  return useMemo(
    () => ({ ...waiting, data: data?.filter((each) => agentId === undefined || each.agentId === agentId) }),
    [waiting, data, agentId],
  )
}

/** Whose turn it is once this one is decided: the next in the queue, else the one before. */
function neighbour(queue: readonly ApprovalView[], id: string): string | undefined {
  const at = queue.findIndex((each) => each.id === id)
  return (queue[at + 1] ?? queue[at - 1])?.id
}

/** j and k walk the queue and open what they come to; u takes back what was approved last. */
function useDeskKeys(queue: readonly ApprovalView[], shown: string | undefined, decisions: Decisions): void {
  const set = useSearchChange()
  const { revocable, decide } = decisions
  const bindings = useMemo(() => {
    const step = (by: number) => {
      const next = queue[Math.max(0, queue.findIndex((each) => each.id === shown) + by)]
      if (next !== undefined) set({ approval: next.id })
    }
    const last = revocable.at(-1)
    return {
      ...(queue.length > 0 ? { j: () => step(1), k: () => step(-1) } : {}),
      ...(last === undefined ? {} : { u: () => void decide(last, { is: 'undo' }) }),
    }
  }, [queue, shown, set, revocable, decide])
  useHotkeys(bindings)
  useEffect(() => {
    // A screen reader is told where the keys have led.
    const row = shown === undefined ? null : document.querySelector<HTMLElement>(`[data-approval="${shown}"]`)
    const inList = document.activeElement?.closest('.desk-list') !== null
    if (inList || document.activeElement === document.body) row?.focus({ preventScroll: false })
  }, [shown])
}

function Filters({ search, waiting }: { search: ApprovalsSearch; waiting: number }) {
  const set = useSearchChange()
  const history = search.show === 'decided'
  const agents = useQuery({ ...agentsQuery(useScope()), enabled: useMay()('agents.read') }).data ?? []
  const show = (next: ApprovalsSearch['show']) => set({ show: next, approval: undefined, state: undefined })
  return (
    <div className="list-filter">
      <fieldset className="segments" aria-label="Which requests">
        <button type="button" aria-pressed={!history} onClick={() => show(undefined)}>
          Waiting <span className="segment-count">{waiting}</span>
        </button>
        <button type="button" aria-pressed={history} onClick={() => show('decided')}>
          Decided
        </button>
      </fieldset>
      {history && (
        <select
          className="input desk-select"
          aria-label="Outcome"
          value={search.state ?? ''}
          onChange={(event) => set({ state: event.target.value || undefined, approval: undefined })}
        >
          <option value="">Any outcome</option>
          {decidedStates.map((state) => (
            <option key={state} value={state}>
              {stateWords(state).text}
            </option>
          ))}
        </select>
      )}
      {agents.length > 1 && (
        <select
          className="input desk-select"
          aria-label="Agent"
          value={search.agent ?? ''}
          onChange={(event) => set({ agent: event.target.value || undefined, approval: undefined })}
        >
          <option value="">Any agent</option>
          {agents.map((each) => (
            <option key={each.id} value={each.id}>
              {each.name}
            </option>
          ))}
        </select>
      )}
    </div>
  )
}

interface WaitingProps {
  readonly waiting: ReturnType<typeof useWaiting>
  readonly shown: string | undefined
}

function Waiting({ waiting, shown }: WaitingProps) {
  const small = useMedia(phone)
  const queue = waiting.data ?? []
  if (waiting.isPending) return <Loading rows={6} label="Loading the queue" />
  if (waiting.isError && queue.length === 0)
    return <ProblemBox error={waiting.error} onRetry={() => void waiting.refetch()} />
  if (queue.length === 0)
    return (
      <Empty icon="shield" title="Nothing waits for you">
        <p>
          A request appears here, while the agent talks on, when a supervised agent wants to use a tool, or any agent
          one that its guardrails name under “Ask before using”.
        </p>
      </Empty>
    )
  return (
    <VirtualRows
      label="Requests, the one that runs out first on top"
      count={queue.length}
      rowPx={small ? 78 : 74}
      keyOf={(index) => queue[index]?.id ?? String(index)}
      row={(index) => {
        const approval = queue[index]
        return approval && <ApprovalRow approval={approval} shown={approval.id === shown} />
      }}
    />
  )
}

function Decided({ search, shown }: { search: ApprovalsSearch; shown: string | undefined }) {
  const filter = {
    ...(search.state === undefined ? {} : { state: search.state }),
    ...(search.agent === undefined ? {} : { agentId: search.agent }),
  }
  const pages = useInfiniteQuery(decidedQuery(useScope(), filter))
  const items = useMemo(() => pages.data?.pages.flatMap((page) => page.items) ?? [], [pages.data])
  if (pages.isPending) return <Loading rows={6} label="Loading decided requests" />
  if (pages.isError && items.length === 0)
    return <ProblemBox error={pages.error} onRetry={() => void pages.refetch()} />
  if (items.length === 0)
    return (
      <Empty icon="history" title="Nothing decided yet">
        <p>Every request stays here with who decided it, when, why, and what came of it.</p>
      </Empty>
    )
  return (
    <PagedRows
      label="Decided requests, newest first"
      items={items}
      pages={pages}
      rowPx={{ small: 78, wide: 74 }}
      row={(approval) => <ApprovalRow approval={approval} shown={approval.id === shown} />}
    />
  )
}
