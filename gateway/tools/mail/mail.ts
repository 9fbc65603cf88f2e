// E-mails of a tenant, each once: written down before it is sent, with what became of it afterwards. Without a provider it is
// written down as not sent. The record of an e-mail that somebody died over is sent again only where the provider knows its key.

import type { Entities, TemplateData, TemplateRecords } from '../../entities/entities.ts'
import type { Events } from '../../events/events.ts'
import type { AuthContext } from '../../platform/access.ts'
import type { Clock } from '../../platform/clock.ts'
import { idOf, type TenantId } from '../../platform/ids.ts'
import type { EntityView } from '../../protocol/records.ts'
import type { Sending } from '../providers/email.ts'
import type { Mailer, Providers } from '../providers/providers.ts'

export interface Letter {
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly purpose?: string
  readonly draftedBy?: string
  readonly contactId?: string | undefined
  readonly channel?: string | undefined
  readonly conversationId?: string | undefined
  readonly unsubscribeUrl?: string | undefined
}

export interface MailedBy {
  /** Whose rights and name it has: the record of the e-mail is theirs. */
  readonly auth: AuthContext
  /** The same key is one e-mail, whatever it says the second time. */
  readonly key: string
  readonly signal: AbortSignal
}

export interface Mailed {
  /** Of the record. */
  readonly id: string
  readonly status: EmailState
  readonly reason?: string | undefined
  readonly sentAt?: string | undefined
  readonly provider?: string | undefined
  /** In the provider's own word, where it says more. */
  readonly delivery?: string | undefined
  readonly subject: string
}

type EmailData = TemplateData<'email'>
type EmailState = EmailData['status']

export interface Mail {
  /** `unknown` in the answer: it may have been sent. Throws Problem where the record may not be written. */
  send(letter: Letter, by: MailedBy): Promise<Mailed>
  /** What has become of one. `not_found` */
  status(id: string, by: Omit<MailedBy, 'key'>): Promise<Mailed>
}

export interface MailDeps {
  readonly entities: Entities
  readonly events: Events
  readonly providers: Pick<Providers, 'mailer'>
  readonly clock: Clock
}

/** Providers keep keys for 24 hours. */
const keysKnownMs = 23 * 3_600_000

export function createMail(deps: MailDeps): Mail {
  return {
    async send(letter, by) {
      const { tenantId } = by.auth
      const emails = deps.entities.of(tenantId).as(by.auth).template('email')
      const { unsubscribeUrl, ...data } = letter
      const made = await emails.create({ data: defined(data), key: by.key })
      const mailer = await deps.providers.mailer(tenantId)
      const begun = await begin(deps, emails, { made, mailer })
      let { view } = begun
      if (begun.is === 'mine') {
        const sending = await attempt(begun.data, { mailer, by, tenantId, unsubscribeUrl })
        view = await settle(deps, emails, { id: made.id, sending, mailer })
      }
      await tell(deps, by.auth, view, emails.read(view))
      return told(emails.read(view), view)
    },
    async status(id, { auth, signal }) {
      const emails = deps.entities.of(auth.tenantId).as(auth).template('email')
      const view = await emails.get(id)
      const data = emails.read(view)
      const mailer = await deps.providers.mailer(auth.tenantId)
      const isTheirs = mailer.is === 'on' && mailer.provider.name === data.provider && data.providerRef !== undefined
      const state = isTheirs ? await mailer.provider.state(data.providerRef ?? '', signal) : undefined
      return { ...told(data, view), ...(state?.is === 'known' ? { delivery: state.state } : {}) }
    },
  }
}

type Begun =
  | { readonly is: 'mine'; readonly data: EmailData; readonly view: EntityView }
  /** Nothing more is to be done. */
  | { readonly is: 'settled'; readonly view: EntityView }

/** One of all that come takes it on. What was begun before is taken on again only where that cannot make a second e-mail. */
async function begin(
  { clock }: MailDeps,
  emails: TemplateRecords<'email'>,
  { made, mailer }: { readonly made: EntityView; readonly mailer: Mailer },
): Promise<Begun> {
  let mine: EmailData | undefined
  const view = await emails.change(made.id, (data) => {
    mine = undefined
    const now = new Date(clock.now()).toISOString()
    if (data.status === 'queued') {
      if (mailer.is === 'off') return { status: 'not_sent', reason: mailer.why }
      const taken = { status: 'sending' as const, provider: mailer.provider.name, from: mailer.from, sentAt: now }
      mine = { ...data, ...taken }
      return taken
    }
    if (data.status !== 'sending') return undefined
    if (mailer.is === 'on' && mayAgain(data, mailer, clock.now())) {
      mine = data
      return undefined
    }
    return { status: 'unknown', reason: 'somebody began to send it, and it is not known what came of that' }
  })
  return mine === undefined ? { is: 'settled', view } : { is: 'mine', data: mine, view }
}

function mayAgain(data: EmailData, { provider }: Extract<Mailer, { is: 'on' }>, nowMs: number): boolean {
  return provider.knowsKeys && data.provider === provider.name && nowMs - Date.parse(data.sentAt ?? '') < keysKnownMs
}

interface Attempting {
  readonly mailer: Mailer
  readonly by: MailedBy
  readonly tenantId: TenantId
  readonly unsubscribeUrl: string | undefined
}

/** What is sent is what is written down, also the second time. */
async function attempt(data: EmailData, { mailer, by, tenantId, unsubscribeUrl }: Attempting): Promise<Sending> {
  if (mailer.is === 'off') return { is: 'refused', why: mailer.why }
  const { to, subject, text, from = mailer.from } = data
  // Keys of one tenant mean nothing to another, though both may use one account.
  const key = idOf('msg', tenantId, by.key)
  return mailer.provider.send({ from, to, subject, text, unsubscribeUrl }, { key, signal: by.signal })
}

async function settle(
  { clock }: MailDeps,
  emails: TemplateRecords<'email'>,
  { id, sending, mailer }: { readonly id: string; readonly sending: Sending; readonly mailer: Mailer },
): Promise<EntityView> {
  const now = new Date(clock.now()).toISOString()
  return emails.change(id, ({ status }) => {
    // Whoever came second with the same key has settled it; sent is never taken back.
    if (status !== 'sending') return undefined
    if (sending.is === 'sent') return { status: 'sent', providerRef: sending.providerId, sentAt: now, reason: null }
    const reason = sending.why.slice(0, 500)
    if (sending.is === 'refused') return { status: 'failed', reason, sentAt: null }
    // The next attempt with this key may still find it out.
    return mailer.is === 'on' && mailer.provider.knowsKeys ? { reason } : { status: 'unknown', reason }
  })
}

async function tell({ events }: MailDeps, auth: AuthContext, view: EntityView, data: EmailData): Promise<void> {
  if (data.status === 'sending') return
  await events.of(auth.tenantId).emit({
    // Told again by whoever comes after one that died over it; once in the log.
    id: idOf('evt', auth.tenantId, view.id, data.status),
    type: `email.${data.status}`,
    actor: auth.actor,
    entity: { type: 'email', id: view.id },
    payload: { purpose: data.purpose, provider: data.provider ?? null },
  })
}

function told({ status, reason, sentAt, provider, subject }: EmailData, { id }: EntityView): Mailed {
  const isSent = status === 'sent'
  return {
    // Begun and not ended: whether it went out is not known.
    ...{ id, subject, status: status === 'sending' ? 'unknown' : status },
    ...(reason === undefined || isSent ? {} : { reason }),
    ...(isSent && sentAt !== undefined ? { sentAt } : {}),
    ...(provider === undefined ? {} : { provider }),
  }
}

/** Without fields that nobody gave. */
function defined<T extends object>(data: T): T {
  return JSON.parse(JSON.stringify(data))
}
