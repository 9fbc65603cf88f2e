// Every route of the gateway, with what the sweeps must know of it.

import type { Cases } from './case.ts'
import { accessCases } from './cases/access.ts'
import { agentCases } from './cases/agents.ts'
import { chatCases } from './cases/chat.ts'
import { credentialCases } from './cases/credentials.ts'
import { entityCases } from './cases/entities.ts'
import { gatewayCases } from './cases/gateway.ts'
import { openAiCases } from './cases/openai.ts'
import { recordCases } from './cases/records.ts'
import { sessionCases } from './cases/sessions.ts'
import { toolCases } from './cases/tools.ts'

export const cases: Cases = {
  ...accessCases,
  ...agentCases,
  ...chatCases,
  ...credentialCases,
  ...sessionCases,
  ...openAiCases,
  ...recordCases,
  ...entityCases,
  ...toolCases,
  ...gatewayCases,
}
