// What happens when an agent calls a tool, as the gateway decides it (gateway/tools/permission.ts), for people to read.

import type { AgentConfigView } from '../../../gateway/protocol/agents.ts'
import type { ToolView } from '../../../gateway/protocol/tools.ts'
import type { Tone } from '../../ui/words.ts'

export type Verdict = 'runs' | 'asks' | 'refused' | 'off'

export const verdictWords: Readonly<Record<Verdict, { readonly text: string; readonly tone: Tone }>> = {
  runs: { text: 'Runs at once', tone: 'good' },
  asks: { text: 'Asks first', tone: 'warn' },
  refused: { text: 'Refused', tone: 'neutral' },
  off: { text: 'Never used', tone: 'neutral' },
}

type Config = Pick<AgentConfigView, 'autonomyLevel' | 'requireApprovalFor' | 'disabledTools'>

export function verdictOn(config: Config, tool: Pick<ToolView, 'name' | 'category' | 'readOnly'>): Verdict {
  if (config.disabledTools.includes(tool.name)) return 'off'
  if (config.autonomyLevel === 'draft_only' && !tool.readOnly) return 'refused'
  if (config.requireApprovalFor.includes(tool.name)) return 'asks'
  return config.autonomyLevel === 'supervised' && tool.category !== 'visuals' ? 'asks' : 'runs'
}
