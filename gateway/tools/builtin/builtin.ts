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
import type { Effects } from '../effects.ts'
import { createNumbers, seriesStore } from '../invoices/numbers.ts'
import { createUnderstand } from '../questions/ask.ts'
import { jobStore } from '../queue/store.ts'
import type { BuiltinTool } from '../tool.ts'
import { bookingTools } from './bookings.ts'
import { conferenceTools } from './conference.ts'
import { type CrmDeps, crmTools } from './crm.ts'
import { dataTools } from './data.ts'
import { emailTools } from './email.ts'
import { eventTools } from './events.ts'
import { formTools } from './forms.ts'
import { invoiceTools, type SendMail } from './invoices.ts'
import { type JobDeps, jobTools } from './jobs.ts'
import { knowledgeTools } from './knowledge.ts'
import { mediaTools } from './media.ts'
import { paymentTools } from './payments.ts'
import { productTools } from './products.ts'
import { recordTools } from './records.ts'
import { sequenceTools } from './sequences.ts'
import { workflowTools } from './workflows.ts'

export interface BuiltinDeps extends CrmDeps {
  readonly entities: Entities
  readonly events: Events
  readonly knowledge: Knowledge
  /** Missing: without the tools whose effects leave the records. */
  readonly effects?: Effects
}

export const builtinCollections: readonly CollectionSpec[] = [spanStore.spec, seriesStore.spec, jobStore.spec]

/** What the gateway's own tools are made with. */
export interface BuiltinMaking extends BuiltinDeps, Pick<JobDeps, 'queue'>, Pick<CalendarDeps, 'outside'> {
  readonly db: Db
  readonly clock: Clock
  /** The gateway's own eyes in a tenant. */
  readonly everything: (tenantId: TenantId) => AuthContext
  /** Who reads questions; missing: simple words only. */
  readonly models?: Parameters<typeof createUnderstand>[0]
}

const noModels: Parameters<typeof createUnderstand>[0] = {
  chain: () => [],
  ask: async function* () {},
  failure: () => undefined,
}

export function createBuiltins(making: BuiltinMaking): readonly BuiltinTool[] {
  const { db, clock, entities, models = noModels } = making
  const calendars = createCalendars(making)
  const numbers = createNumbers(db)
  return [
    ...crmTools(making),
    ...bookingTools({ entities, calendars, clock }),
    ...invoiceTools({ entities, numbers, sendMail: mailBy(making), clock }),
    ...productTools(making),
    ...formTools({ entities, clock }),
    ...dataTools({ entities, clock, understand: createUnderstand(models) }),
    ...conferenceTools(making),
    ...knowledgeTools(making),
    ...recordTools(making),
    ...jobTools(making),
    ...mediaTools(making),
    ...effectTools(making),
  ]
}

function effectTools({ effects, ...deps }: BuiltinMaking): readonly BuiltinTool[] {
  if (effects === undefined) return []
  const all = { ...deps, effects }
  return [...paymentTools(all), ...workflowTools(all), ...sequenceTools(all), ...emailTools(all), ...eventTools(all)]
}

/** What a tool writes to somebody is an e-mail like any other. */
function mailBy({ effects }: BuiltinMaking): SendMail {
  return async ({ to, subject, text, key }, { auth, channel, conversationId, contactId, signal }) => {
    if (effects === undefined) return { is: 'refused', why: 'no e-mail is sent from here' }
    const letter = { to, subject, text, contactId, channel, conversationId, purpose: 'reminder' }
    const { status, reason = '' } = await effects.mail.send(letter, { auth: await auth(), key, signal })
    if (status === 'sent') return { is: 'sent' }
    return { is: status === 'unknown' ? 'unknown' : 'refused', why: reason }
  }
}
