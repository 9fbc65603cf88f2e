import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { inWords } from '../../api/problem.ts'
import { useMay, useScope } from '../../api/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/confirm.tsx'
import { notifyDone, notifyFailed } from '../../ui/notify.ts'

interface RevokeKeyProps {
  readonly label: string
  /** The query that lists the keys, read again afterwards. */
  readonly list: 'site-keys' | 'api-keys'
  readonly text: string
  readonly revoke: () => Promise<unknown>
}

export function RevokeKey({ label, list, text, revoke }: RevokeKeyProps) {
  const { tenant } = useScope()
  const queries = useQueryClient()
  const may = useMay()
  const [asking, setAsking] = useState(false)
  const run = useMutation({
    mutationFn: revoke,
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: [tenant, list] })
      setAsking(false)
      notifyDone(`“${label}” is revoked.`)
    },
    onError: (error) => notifyFailed(inWords(error)),
  })
  if (!may('keys.write')) return null
  return (
    <>
      <Button variant="ghost" onClick={() => setAsking(true)} aria-label={`Revoke ${label}`}>
        Revoke
      </Button>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={`Revoke “${label}”?`}
        text={text}
        action="Revoke"
        danger
        busy={run.isPending}
        onConfirm={() => run.mutate()}
      />
    </>
  )
}
