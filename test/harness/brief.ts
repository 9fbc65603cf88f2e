// A brief as tests want it: an agent that answers by the demo engine, with what a test says otherwise.

import type { Brief } from '../../gateway/agents/agents.ts'

export function briefFor(own: Partial<Omit<Brief, 'limits'>> & { readonly limits?: Partial<Brief['limits']> }): Brief {
  const { limits, ...rest } = own
  return {
    ...{ agentId: 'agt_1', slug: 'shop', name: 'Shop', version: 1, systemKnowledge: false },
    ...{ engine: 'demo', fallbackEngines: [], model: '', voice: '', language: 'en' },
    ...{ instructions: '', greeting: null, closing: 'Bye.', tools: [], clientTools: false, mutable: [] },
    text: { modelProvider: '', modelId: '', fallbackModels: [], temperature: null, maxTokens: null },
    ...{
      speaks: true,
      delegates: [],
      autonomyLevel: 'autonomous',
      requireApprovalFor: [],
      toolPermissions: [],
      blockedTopics: [],
    },
    ...{ turnDetection: 'server_vad', settings: {} },
    ...rest,
    limits: {
      ...{ idleMs: 60_000, maxDurationMs: 600_000, sessionCreditsMicro: null },
      ...{ dailyMessages: null, dailyCreditsMicro: null },
      ...limits,
    },
  }
}
