// An agent as it is sent.

import { z } from 'zod'
import type { AgentView } from '../protocol/rest.ts'

export const agentView = z
  .strictObject({
    id: z.string(),
    slug: z.string(),
    name: z.string(),
    status: z.enum(['draft', 'active', 'paused', 'archived']),
    engine: z.string(),
    voice: z.string(),
    tools: z.array(z.string()),
  })
  .meta({ id: 'Agent' }) satisfies z.ZodType<AgentView>
