import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import type { SessionView } from '../../../gateway/protocol/rest.ts'
import { inWords } from '../../api/problem.ts'
import { Allowed, useScope } from '../../api/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/confirm.tsx'
import { useHotkeys } from '../../ui/hotkey-context.tsx'
import { notifyDone, notifyFailed } from '../../ui/notify.ts'

const reasons = ['Abusive visitor', 'Agent misbehaves', 'Test call']

export function EndSession({ session }: { session: SessionView }) {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  const [asking, setAsking] = useState(false)
  useHotkeys(useMemo(() => ({ x: () => setAsking(true) }), []))
  const end = useMutation({
    mutationFn: (reason: string) => api.endSession(session.id, reason),
    onSuccess: () => {
      setAsking(false)
      notifyDone('The session is being ended.')
      void queries.invalidateQueries({ queryKey: [tenant, 'session', session.id] })
    },
    onError: (error) => notifyFailed(inWords(error)),
  })
  return (
    <>
      <Allowed to="sessions.end">
        <Button variant="danger" icon="stop" onClick={() => setAsking(true)} disabled={session.state === 'ending'}>
          End session
        </Button>
      </Allowed>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title="End this session?"
        text={`The visitor is cut off at once. ${session.agent.name} does not say goodbye, and the session is settled.`}
        action="End session"
        danger
        busy={end.isPending}
        reason={{ label: 'Reason (kept in the record)', suggestions: reasons }}
        onConfirm={(reason) => end.mutate(reason)}
      />
    </>
  )
}
