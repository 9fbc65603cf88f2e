import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useRef } from 'react'
import { inWords } from '../../api/problem.ts'
import { useScope } from '../../api/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { notifyDone, notifyFailed } from '../../ui/notify.ts'

/** An exported agent as a new one; the API says what is wrong with the file. */
export function ImportAgent() {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const input = useRef<HTMLInputElement>(null)
  const bring = useMutation({
    mutationFn: async (file: File) => api.agents.imported(jsonOf(await file.text())),
    onSuccess: async (agent) => {
      await queries.invalidateQueries({ queryKey: [tenant, 'agents'] })
      notifyDone(`${agent.name} is imported as a draft.`)
      await navigate({ to: '/agents/$agentId', params: { agentId: agent.id } })
    },
    onError: (error) => notifyFailed(error instanceof NoJson ? error.message : inWords(error)),
  })
  return (
    <>
      <input
        ref={input}
        type="file"
        accept="application/json,.json"
        className="sr"
        tabIndex={-1}
        aria-label="File of an exported agent"
        onChange={(event) => {
          const file = event.target.files?.[0]
          if (file !== undefined) bring.mutate(file)
          event.target.value = ''
        }}
      />
      <Button icon="upload" busy={bring.isPending} onClick={() => input.current?.click()}>
        Import
      </Button>
    </>
  )
}

class NoJson extends Error {}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new NoJson('This file is not JSON. Choose a file that was exported here.')
  }
}
