import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { McpServer, McpToolDecision } from '../../../api/mcp-calls.ts'
import { inWords } from '../../../api/problem.ts'
import { useScope } from '../../../api/scope.tsx'
import { notifyDone, notifyFailed } from '../../../ui/notify.ts'

type Move =
  | { readonly is: 'refresh' }
  | { readonly is: 'remove' }
  | { readonly is: 'turn'; readonly on: boolean }
  | { readonly is: 'decide'; readonly tool: string; readonly decision: McpToolDecision }

/** What may be done to one server; every list of tools is read anew afterwards. */
export function useServerMoves(server: McpServer) {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  return useMutation({
    mutationFn: async (move: Move): Promise<unknown> => {
      if (move.is === 'refresh') return api.mcp.refresh(server.id)
      if (move.is === 'remove') return api.mcp.remove(server.id)
      if (move.is === 'turn') return api.mcp.turn(server.id, move.on)
      return api.mcp.decide(server.id, move.tool, move.decision)
    },
    onSuccess: (_, move) => {
      if (move.is === 'remove') notifyDone(`${server.name} and its tools are gone.`)
      if (move.is === 'refresh') notifyDone(`${server.name} is listed anew.`)
    },
    onError: (error) => notifyFailed(inWords(error)),
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: [tenant, 'mcp-servers'] }),
        queries.invalidateQueries({ queryKey: [tenant, 'tools'] }),
      ]),
  })
}
