// What can be done to a whole agent, from the list and from the form.

import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import type { AgentStatus, AgentView } from '../../../gateway/protocol/agents.ts'
import type { AgentMove } from '../../api/agent-calls.ts'
import type { TenantApi } from '../../api/client.ts'
import { inWords } from '../../api/problem.ts'
import { useScope } from '../../api/scope.tsx'
import { notifyDone, notifyFailed } from '../../ui/notify.ts'
import { saveFile } from '../../ui/save-file.ts'

const reached: Readonly<Record<AgentMove, AgentStatus>> = { activate: 'active', pause: 'paused', archive: 'archived' }

/** Active → paused → archived: there is no way around a step. A draft was never in use. */
async function takeOutOfUse(agents: TenantApi['agents'], { id, status }: Pick<AgentView, 'id' | 'status'>) {
  if (status === 'active') await agents.move(id, 'pause')
  if (status === 'active' || status === 'paused') await agents.move(id, 'archive')
}

/** Shown at once, taken back when the gateway refuses. */
export function useMove(agent: Pick<AgentView, 'id' | 'name' | 'status'>) {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  const list = [tenant, 'agents']
  return useMutation({
    mutationFn: (move: AgentMove): Promise<unknown> =>
      move === 'archive' ? takeOutOfUse(api.agents, agent) : api.agents.move(agent.id, move),
    onMutate: async (move) => {
      await queries.cancelQueries({ queryKey: list, exact: true })
      const before = queries.getQueryData<readonly AgentView[]>(list)
      const withStatus = (each: AgentView) => (each.id === agent.id ? { ...each, status: reached[move] } : each)
      if (before !== undefined) queries.setQueryData(list, before.map(withStatus))
      return before
    },
    onSuccess: (_, move) => notifyDone(`${agent.name} is ${reached[move]}.`),
    onError: (error, _, before) => {
      if (before !== undefined) queries.setQueryData(list, before)
      notifyFailed(inWords(error))
    },
    onSettled: () => queries.invalidateQueries({ queryKey: list }),
  })
}

/** What is in use is taken out of use first: the API deletes nothing that people may be talking to. */
export function useRemoveAgent(agent: Pick<AgentView, 'id' | 'name' | 'status'>) {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  const navigate = useNavigate()
  return useMutation({
    mutationFn: async () => {
      await takeOutOfUse(api.agents, agent)
      return api.agents.remove(agent.id)
    },
    onSuccess: async () => {
      await navigate({ to: '/agents' })
      queries.removeQueries({ queryKey: [tenant, 'agents', agent.id] })
      await queries.invalidateQueries({ queryKey: [tenant, 'agents'] })
      notifyDone(`${agent.name} is deleted.`)
    },
    onError: (error) => notifyFailed(inWords(error)),
  })
}

export function useExportAgent(agent: Pick<AgentView, 'id' | 'slug'>) {
  const { api } = useScope()
  return useMutation({
    mutationFn: () => api.agents.exported(agent.id),
    onSuccess: (file) => saveFile(new Blob([JSON.stringify(file, null, 2)]), `agent-${agent.slug}.json`),
    onError: (error) => notifyFailed(inWords(error)),
  })
}
