// Whether a call of a tool runs, waits for a person or is refused: decided by the gateway, told by the console.

export type CallVerdict = 'run' | 'ask' | 'refuse'

/**
 * `draft_only`: what changes something is refused. `supervised`: a person approves each call, but for what is only shown.
 * `autonomous`: a person approves what `requireApprovalFor` names.
 */
export function callVerdict(
  agent: {
    readonly autonomyLevel: 'draft_only' | 'supervised' | 'autonomous'
    readonly requireApprovalFor: readonly string[]
  },
  tool: { readonly name: string; readonly category: string; readonly readOnly: boolean },
): CallVerdict {
  if (agent.autonomyLevel === 'draft_only' && !tool.readOnly) return 'refuse'
  if (agent.requireApprovalFor.includes(tool.name)) return 'ask'
  return agent.autonomyLevel === 'supervised' && tool.category !== 'visuals' ? 'ask' : 'run'
}
