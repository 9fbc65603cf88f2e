// Every tool that comes with the gateway.

import type { Entities } from '../../entities/entities.ts'
import type { Events } from '../../events/events.ts'
import type { Knowledge } from '../../knowledge/knowledge.ts'
import type { BuiltinTool } from '../tool.ts'
import { conferenceTools } from './conference.ts'
import { type CrmDeps, crmTools } from './crm.ts'
import { knowledgeTools } from './knowledge.ts'
import { productTools } from './products.ts'
import { recordTools } from './records.ts'

export interface BuiltinDeps extends CrmDeps {
  readonly entities: Entities
  readonly events: Events
  readonly knowledge: Knowledge
}

export function createBuiltins(deps: BuiltinDeps): readonly BuiltinTool[] {
  return [
    ...crmTools(deps),
    ...productTools(deps),
    ...conferenceTools(deps),
    ...knowledgeTools(deps),
    ...recordTools(deps),
  ]
}
