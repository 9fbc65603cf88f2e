// Sequences of e-mails. Owns who is in which, what they got, and who wants none. A job sends what is due: a step is sent under a
// key of its own, so that a process that dies over it leaves nothing that could be sent twice.

import type { Entities, TemplateData } from '../../entities/entities.ts'
import type { Events } from '../../events/events.ts'
import type { Actor, AuthContext } from '../../platform/access.ts'
import type { Clock } from '../../platform/clock.ts'
import { idOf, type TenantId } from '../../platform/ids.ts'
import type { Log } from '../../platform/log.ts'
import { found, Problem } from '../../platform/problem.ts'
import type { Mail } from '../mail/mail.ts'
import type { HasReplied } from '../mail/replied.ts'
import type { Person } from '../persons.ts'
import { after, filled } from './step.ts'
import type { Enrolment, EnrolmentStore, StopReason } from './store.ts'

export interface SequenceView {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly status: string
  readonly steps: number
}

export interface Progress {
  readonly sequence: string
  readonly status: string
  readonly reason?: string | undefined
  readonly sent: readonly {
    readonly step: number
    readonly subject: string
    readonly at: string
    readonly status: string
  }[]
  /** Null: nothing more comes. */
  readonly next: { readonly step: number; readonly subject: string; readonly at: string } | null
}

export interface Sequences {
  list(auth: AuthContext): Promise<readonly SequenceView[]>
  /** Whoever is in stays where they are. `unsupported`: it is paused, or the person wants no more e-mails. */
  add(
    auth: AuthContext,
    adding: { readonly sequence: string; readonly person: Person; readonly key: string },
  ): Promise<Progress>
  /** In all sequences, or in one of them. */
  status(
    auth: AuthContext,
    about: { readonly sequence?: string | undefined; readonly person: Person },
  ): Promise<readonly Progress[]>
  /** How many sequences the person was taken out of. */
  remove(auth: AuthContext, about: { readonly sequence?: string | undefined; readonly person: Person }): Promise<number>
  /** By the address in an e-mail: the person gets no sequence of this tenant any more. False: nobody has this token. */
  unsubscribe(tenantId: TenantId, token: string): Promise<boolean>
  /** Sends what is due. Any number of processes may be at it at once. */
  sendDue(): Promise<{ readonly sent: number; readonly held: number }>
}

export interface SequencesDeps {
  readonly store: EnrolmentStore
  readonly entities: Entities
  readonly events: Events
  readonly mail: Pick<Mail, 'send'>
  readonly system: (tenantId: TenantId, actor: Actor) => AuthContext
  readonly hasReplied: HasReplied
  readonly publicUrl: string
  readonly clock: Clock
  readonly log: Log
}

type SequenceData = TemplateData<'sequence'>

/** As the name of who sends: the gateway's own work. */
const sender: Actor = { kind: 'system', id: 'sequences', name: 'Sequences' }
const batch = 50
/** Whoever claimed a step and died is taken for dead after this. */
const claimMs = 5 * 60_000
const pauseMs = 15 * 60_000
const sendTimeoutMs = 30_000

export function createSequences(deps: SequencesDeps): Sequences {
  const { store, clock } = deps
  const now = () => new Date(clock.now())
  return {
    async list(auth) {
      const sequences = recordsOf(deps, auth)
      const { items } = await sequences.list({ limit: 50 })
      return items.map((view) => {
        const { name, description = '', status, steps } = sequences.read(view)
        return { id: view.id, name, description, status, steps: steps.length }
      })
    },
    add: (auth, adding) => add(deps, auth, adding),
    async status(auth, { sequence, person }) {
      const one = sequence === undefined ? undefined : await sequenceOf(deps, auth, sequence)
      const all = await store.ofPerson(auth.tenantId, emailOf(person))
      const asked = all.filter(({ sequenceId }) => one === undefined || sequenceId === one.id)
      const told = await Promise.all(asked.map((each) => progressOf(deps, auth, each)))
      return told.filter((each) => each !== undefined)
    },
    async remove(auth, { sequence, person }) {
      if (!auth.may('entities.write', 'email')) throw new Problem('forbidden')
      const one = sequence === undefined ? {} : { sequenceId: (await sequenceOf(deps, auth, sequence)).id }
      return store.stop(auth.tenantId, emailOf(person), { ...one, reason: 'removed', now: now() })
    },
    async unsubscribe(tenantId, token) {
      const enrolment = await store.byToken(tenantId, token)
      if (enrolment === undefined) return false
      await store.stopFor(tenantId, enrolment.email, now())
      await store.stop(tenantId, enrolment.email, { reason: 'unsubscribed', now: now() })
      await tell(deps, enrolment, 'unsubscribed')
      return true
    },
    sendDue: () => sendDue(deps),
  }
}

const recordsOf = ({ entities }: SequencesDeps, auth: AuthContext) =>
  entities.of(auth.tenantId).as(auth).template('sequence')

async function sequenceOf(
  deps: SequencesDeps,
  auth: AuthContext,
  key: string,
): Promise<SequenceData & { readonly id: string }> {
  const sequences = recordsOf(deps, auth)
  const named = await sequences.list({ where: { name: key }, limit: 1 })
  const view = named.items[0] ?? (await sequences.get(key))
  return { ...sequences.read(view), id: view.id }
}

/** Undefined: it is gone, or not the caller's to see. */
function sequenceOfOne(deps: SequencesDeps, auth: AuthContext, { sequenceId }: Enrolment) {
  return sequenceOf(deps, auth, sequenceId).catch((error: unknown) => {
    if (error instanceof Problem && error.code === 'not_found') return undefined
    throw error
  })
}

function emailOf({ email }: Person): string {
  if (email !== undefined) return email
  throw new Problem('invalid', 'The e-mail address of the person is not known: ask for it.')
}

async function add(
  deps: SequencesDeps,
  auth: AuthContext,
  { sequence: name, person, key }: { readonly sequence: string; readonly person: Person; readonly key: string },
): Promise<Progress> {
  const { store, clock } = deps
  const { tenantId } = auth
  // What is sent later is sent by us: whoever may not send e-mails may not have them sent.
  if (!auth.may('entities.write', 'email')) throw new Problem('forbidden')
  const sequence = await sequenceOf(deps, auth, name)
  if (sequence.status !== 'active') throw new Problem('unsupported', 'This sequence is paused.')
  const email = emailOf(person)
  if (await store.isStopped(tenantId, email)) throw new Problem('unsupported', 'This person has unsubscribed.')
  const now = clock.now()
  const nextAt = new Date(now + (sequence.steps[0]?.delayMinutes ?? 0) * 60_000)
  const who = { email, contactId: person.contactId, name: person.name }
  const enrolment = await store.enrol({ tenantId, sequenceId: sequence.id, ...who, key, nextAt, now: new Date(now) })
  await tell(deps, enrolment, 'added', auth.actor)
  return found(await progressOf(deps, auth, enrolment))
}

/** Undefined: the sequence is gone, or not the caller's to see. */
async function progressOf(deps: SequencesDeps, auth: AuthContext, enrolment: Enrolment): Promise<Progress | undefined> {
  const sequence = await sequenceOfOne(deps, auth, enrolment)
  if (sequence === undefined) return undefined
  const subject = (step: number) => filled(sequence.steps[step]?.subject ?? '', enrolment.name)
  const { status, reason, sent, step, nextAt } = enrolment
  return {
    ...{ sequence: sequence.name, status, ...(reason === undefined ? {} : { reason }) },
    sent: sent.map((each) => ({
      step: each.step + 1,
      subject: subject(each.step),
      at: each.at.toISOString(),
      status: each.status,
    })),
    next: nextAt === undefined ? null : { step: step + 1, subject: subject(step), at: nextAt.toISOString() },
  }
}

async function sendDue(deps: SequencesDeps): Promise<{ sent: number; held: number }> {
  const { store, clock, log } = deps
  const done = { sent: 0, held: 0 }
  for (;;) {
    const due = await store.due(new Date(clock.now()), batch)
    for (const each of due) {
      const claimed = await store.claim(each, new Date(clock.now() + claimMs))
      if (claimed === undefined) continue
      try {
        done[await sendStep(deps, claimed)]++
      } catch (error) {
        // It is due again when the claim is over.
        log.warn({ err: error, tenantId: each.tenantId, enrolmentId: each.id }, 'a step of a sequence was not sent')
      }
    }
    if (due.length < batch) return done
  }
}

async function sendStep(deps: SequencesDeps, enrolment: Enrolment): Promise<'sent' | 'held'> {
  const { store, mail, clock } = deps
  const { tenantId, email, contactId, name, step, round, failures, id } = enrolment
  const auth = deps.system(tenantId, sender)
  const stop = async (reason: StopReason) => {
    await store.advance(enrolment, { status: 'stopped', reason, updatedAt: new Date(clock.now()) })
    await tell(deps, enrolment, reason)
    return 'held' as const
  }
  const sequence = await sequenceOfOne(deps, auth, enrolment)
  const due = sequence?.steps[step]
  if (sequence === undefined || due === undefined) return stop('sequence_gone')
  if (await store.isStopped(tenantId, email)) return stop('unsubscribed')
  if (contactId !== undefined && (await deps.hasReplied(tenantId, contactId, enrolment.since))) return stop('replied')
  if (sequence.status === 'paused') {
    await store.advance(enrolment, { nextAt: new Date(clock.now() + pauseMs), updatedAt: new Date(clock.now()) })
    return 'held'
  }
  const unsubscribeUrl = `${deps.publicUrl}/v1/unsubscribe/${tenantId}/${enrolment.token}`
  const mailed = await mail.send(
    {
      ...{ to: email, contactId, purpose: `sequence: ${sequence.name}`.slice(0, 60), unsubscribeUrl },
      subject: filled(due.subject, name),
      text: `${filled(due.text, name)}\n\n--\nUnsubscribe: ${unsubscribeUrl}`,
    },
    { auth, key: `${id}:${round}:${step}:${failures}`, signal: AbortSignal.timeout(sendTimeoutMs) },
  )
  const advance = after(enrolment, { steps: sequence.steps, mailed, nowMs: clock.now() })
  await store.advance(enrolment, advance)
  if (advance.status !== undefined) await tell(deps, enrolment, advance.reason ?? advance.status)
  return advance.sent === undefined ? 'held' : 'sent'
}

async function tell({ events }: SequencesDeps, enrolment: Enrolment, what: string, actor = sender): Promise<void> {
  const { id, tenantId, round, sequenceId } = enrolment
  await events.of(tenantId).emit({
    id: idOf('evt', tenantId, id, `${round}`, what),
    type: `sequence.${what}`,
    actor,
    entity: { type: 'sequence', id: sequenceId },
    payload: { enrolmentId: id },
  })
}
