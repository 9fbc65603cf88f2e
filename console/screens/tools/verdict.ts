// What happens when an agent calls a tool, for people to read.

import type { AgentConfigView } from '../../../gateway/protocol/agents.ts'
import { type CallVerdict, callVerdict } from '../../../gateway/protocol/call-verdict.ts'
import type { ToolView } from '../../../gateway/protocol/tools.ts'
import type { Tone } from '../../ui/words.ts'

export type Verdict = 'runs' | 'asks' | 'refused' | 'off'

export const verdictWords: Readonly<Record<Verdict, { readonly text: string; readonly tone: Tone }>> = {
  runs: { text: 'Runs at once', tone: 'good' },
  asks: { text: 'Asks first', tone: 'warn' },
  refused: { text: 'Refused', tone: 'neutral' },
  off: { text: 'Never used', tone: 'neutral' },
}

const words = { run: 'runs', ask: 'asks', refuse: 'refused' } as const satisfies Record<CallVerdict, Verdict>

type Config = Pick<AgentConfigView, 'autonomyLevel' | 'requireApprovalFor' | 'disabledTools'>

export function verdictOn(config: Config, tool: Pick<ToolView, 'name' | 'category' | 'readOnly'>): Verdict {
  if (config.disabledTools.includes(tool.name)) return 'off'
  return words[callVerdict(config, tool)]
}
