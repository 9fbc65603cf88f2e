import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { ApiKeyView } from '../../../gateway/protocol/rest.ts'
import { inWords, issuesOf } from '../../api/problem.ts'
import { useScope } from '../../api/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { notifyDone, notifyFailed } from '../../ui/notify.ts'
import { ApiKeyForm } from './api-key-form.tsx'
import { formOf, type KeyForm, wishOf } from './key-rights.ts'

export function EditApiKey({ apiKey }: { apiKey: ApiKeyView }) {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  const [editing, setEditing] = useState(false)
  const run = useMutation({
    mutationFn: (form: KeyForm) => {
      const { role: _, ...change } = wishOf(form)
      return api.changeApiKey(apiKey.id, change)
    },
    onSuccess: async (key) => {
      await queries.invalidateQueries({ queryKey: [tenant, 'api-keys'] })
      setEditing(false)
      notifyDone(`“${key.label}” changed.`)
    },
    onError: (error) => {
      if (issuesOf(error).length === 0) notifyFailed(inWords(error))
    },
  })
  return (
    <>
      <Button variant="ghost" onClick={() => setEditing(true)} aria-label={`Edit ${apiKey.label}`}>
        Edit
      </Button>
      {editing && (
        <ApiKeyForm
          title={`API key “${apiKey.label}”`}
          action="Save"
          start={formOf(apiKey)}
          fixedRole
          busy={run.isPending}
          error={run.error}
          onClose={() => setEditing(false)}
          onSubmit={run.mutate}
        />
      )}
    </>
  )
}
