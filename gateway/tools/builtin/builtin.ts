// Every tool that comes with the gateway.

import type { Db } from 'mongodb'
import type { Entities } from '../../entities/entities.ts'
import type { Events } from '../../events/events.ts'
import type { Knowledge } from '../../knowledge/knowledge.ts'
import type { AuthContext } from '../../platform/access.ts'
import type { Clock } from '../../platform/clock.ts'
import type { TenantId } from '../../platform/ids.ts'
import type { CollectionSpec } from '../../platform/mongo.ts'
import { type CalendarDeps, createCalendars } from '../calendar/calendar.ts'
import { spanStore } from '../calendar/store.ts'
import { createNumbers, seriesStore } from '../invoices/numbers.ts'
import { createUnderstand } from '../questions/ask.ts'
import { jobStore } from '../queue/store.ts'
import type { BuiltinTool } from '../tool.ts'
import { bookingTools } from './bookings.ts'
import { conferenceTools } from './conference.ts'
import { type CrmDeps, crmTools } from './crm.ts'
import { dataTools } from './data.ts'
import { formTools } from './forms.ts'
import { invoiceTools, type SendMail } from './invoices.ts'
import { type JobDeps, jobTools } from './jobs.ts'
import { knowledgeTools } from './knowledge.ts'
import { productTools } from './products.ts'
import { recordTools } from './records.ts'

export interface BuiltinDeps extends CrmDeps {
  readonly entities: Entities
  readonly events: Events
  readonly knowledge: Knowledge
}

export const builtinCollections: readonly CollectionSpec[] = [spanStore.spec, seriesStore.spec, jobStore.spec]

/** What the gateway's own tools are made with. */
export interface BuiltinMaking extends BuiltinDeps, Pick<JobDeps, 'queue'>, Pick<CalendarDeps, 'outside'> {
  readonly db: Db
  readonly clock: Clock
  /** The gateway's own eyes in a tenant. */
  readonly everything: (tenantId: TenantId) => AuthContext
  readonly sendMail?: SendMail
  /** Who reads questions; missing: simple words only. */
  readonly models?: Parameters<typeof createUnderstand>[0]
}

const noMail: SendMail = async () => ({ is: 'refused', why: 'no e-mail is sent from here' })

const noModels: Parameters<typeof createUnderstand>[0] = {
  chain: () => [],
  ask: async function* () {},
  failure: () => undefined,
}

export function createBuiltins(making: BuiltinMaking): readonly BuiltinTool[] {
  const { db, clock, entities, sendMail = noMail, models = noModels } = making
  const calendars = createCalendars(making)
  const numbers = createNumbers(db)
  return [
    ...crmTools(making),
    ...bookingTools({ entities, calendars, clock }),
    ...invoiceTools({ entities, numbers, sendMail, clock }),
    ...productTools(making),
    ...formTools({ entities, clock }),
    ...dataTools({ entities, clock, understand: createUnderstand(models) }),
    ...conferenceTools(making),
    ...knowledgeTools(making),
    ...recordTools(making),
    ...jobTools(making),
  ]
}
