// What the tools do beyond the tenant's records: e-mails, payments, workflows, sequences, seats. Made once, for tools, webhooks
// and jobs alike.

import type { Db } from 'mongodb'
import type { TextModels } from '../engines/engines.ts'
import type { Entities } from '../entities/entities.ts'
import type { Events } from '../events/events.ts'
import type { Identity } from '../identity/identity.ts'
import type { Clock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import type { Log } from '../platform/log.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import type { Transcript } from '../transcript/transcript.ts'
import { createWrite, type Write } from './mail/draft.ts'
import { createMail, type Mail } from './mail/mail.ts'
import { hasReplied } from './mail/replied.ts'
import { createPayments, type Payments } from './payments/payments.ts'
import { paymentStore } from './payments/store.ts'
import { createPersons, type Persons } from './persons.ts'
import type { Fetch } from './providers/outside-call.ts'
import { createProviders, type ProviderSettings } from './providers/providers.ts'
import { createRegistrations, type Registrations } from './registrations/registrations.ts'
import { registrationStore } from './registrations/store.ts'
import { createSequences, type Sequences } from './sequences/sequences.ts'
import { enrolmentStore } from './sequences/store.ts'
import { createWorkflows, type Workflows } from './workflows/workflows.ts'

export interface Effects {
  readonly persons: Persons
  readonly mail: Mail
  readonly write: Write
  readonly payments: Payments
  readonly workflows: Workflows
  readonly sequences: Sequences
  readonly registrations: Registrations
}

export const effectCollections: readonly CollectionSpec[] = [
  ...paymentStore.specs,
  ...enrolmentStore.specs,
  registrationStore.spec,
]

export interface EffectsDeps {
  readonly db: Db
  readonly entities: Entities
  readonly events: Events
  readonly identity: Pick<Identity, 'contacts' | 'authFor' | 'secrets'>
  readonly models: TextModels
  readonly transcript: Pick<Transcript, 'of'>
  readonly settings: ProviderSettings
  /** To providers that the gateway names itself. */
  readonly fetch: Fetch
  /** To addresses that a tenant names. */
  readonly guarded: (tenantId: TenantId) => Fetch
  readonly publicUrl: string
  readonly clock: Clock
  readonly log: Log
}

export function createEffects(deps: EffectsDeps): Effects {
  const { db, identity } = deps
  const system = identity.authFor.system
  const providers = createProviders({ ...deps, secrets: identity.secrets })
  const parts = { ...deps, providers, system, hasReplied: hasReplied(deps.transcript) }
  const mail = createMail(parts)
  return {
    persons: createPersons({ identity }),
    mail,
    write: createWrite(deps.models),
    payments: createPayments({ ...parts, store: paymentStore.open(db) }),
    workflows: createWorkflows(parts),
    sequences: createSequences({ ...parts, mail, store: enrolmentStore.open(db) }),
    registrations: createRegistrations({ ...deps, store: registrationStore.open(db), random: Math.random }),
  }
}
