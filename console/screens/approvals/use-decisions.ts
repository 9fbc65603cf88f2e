// What a person decides, and what of it can still be taken back.

import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useCallback, useState } from 'react'
import type { ApprovalView } from '../../../gateway/protocol/approvals.ts'
import { inWords, isConflict } from '../../api/problem.ts'
import { useScope } from '../../api/scope.tsx'
import type { JsonObject } from '../../ui/json.ts'
import { notifyDone, notifyFailed } from '../../ui/notify.ts'

export type Decision =
  | { readonly is: 'approve'; readonly edited?: JsonObject; readonly note?: string }
  | { readonly is: 'reject'; readonly reason: string }
  | { readonly is: 'undo' }

export interface Decisions {
  decide(approval: ApprovalView, decision: Decision): Promise<boolean>
  readonly busy: boolean
  /** Approved here and not begun yet, oldest first. The gateway has the last word on when it is too late. */
  readonly revocable: readonly ApprovalView[]
  forget(id: string): void
}

export function useDecisions(): Decisions {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  const [revocable, setRevocable] = useState<readonly ApprovalView[]>([])
  const forget = useCallback((id: string) => setRevocable((old) => old.filter((each) => each.id !== id)), [])
  const run = useMutation({
    mutationFn: ({ approval, decision }: { approval: ApprovalView; decision: Decision }) => {
      if (decision.is === 'undo') return api.approvals.undo(approval.id)
      if (decision.is === 'reject') return api.approvals.reject(approval.id, decision.reason)
      const { edited, note } = decision
      return api.approvals.approve(approval.id, {
        ...(edited === undefined ? {} : { arguments: edited }),
        ...(note === undefined || note === '' ? {} : { note }),
      })
    },
    onSuccess: (after, { decision }) => {
      queries.setQueryData([tenant, 'approvals', 'one', after.id], after)
      if (decision.is === 'approve') setRevocable((old) => [...old.filter(({ id }) => id !== after.id), after])
      else forget(after.id)
      if (decision.is === 'undo') notifyDone('Taken back: it waits again.')
    },
    onError: (error, { approval, decision }) => {
      if (decision.is === 'undo') forget(approval.id)
      notifyFailed(isConflict(error) ? tooLate(decision) : inWords(error))
    },
    onSettled: () => queries.invalidateQueries({ queryKey: [tenant, 'approvals'] }),
  })
  return {
    decide: (approval, decision) =>
      run.mutateAsync({ approval, decision }).then(
        () => true,
        () => false,
      ),
    busy: run.isPending,
    revocable,
    forget,
  }
}

function tooLate(decision: Decision): string {
  return decision.is === 'undo' ? 'Too late: it has begun.' : 'Somebody else decided first, or the time was over.'
}
