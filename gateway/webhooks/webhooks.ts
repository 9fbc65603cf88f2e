// A tenant's webhooks: what happens is told to addresses of the tenant's, signed, at least once each, in no promised order.
// What is to be told stands in the outbox before anybody is asked; the log of events is looked through again for what a
// process that died did not put there.

import { randomBytes } from 'node:crypto'
import type { Db } from 'mongodb'
import type { Events } from '../events/events.ts'
import type { Clock } from '../platform/clock.ts'
import { momentCursor, momentOf, type PageQuery, pageFrom } from '../platform/cursor.ts'
import type { FetchGuard } from '../platform/fetch-guard/fetch-guard.ts'
import { idOf, newId, type TenantId } from '../platform/ids.ts'
import type { Log } from '../platform/log.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import { found, Problem } from '../platform/problem.ts'
import type { EventView } from '../protocol/records.ts'
import type { Page } from '../protocol/rest.ts'
import { createCourier } from './courier.ts'
import { type Delivery, deliveryStore, type NewDelivery } from './delivery-store.ts'
import { type Endpoint, type EndpointStore, endpointStore } from './endpoint-store.ts'
import { createSender, type Sent } from './sender.ts'
import { bodyOf, wants } from './webhook.ts'

export type { Delivery } from './delivery-store.ts'
export type { Endpoint } from './endpoint-store.ts'

export interface NewEndpoint {
  readonly url: string
  /** `order.placed`, `order.*`, `*`. */
  readonly types: readonly string[]
  readonly description: string
}

export type EndpointEdit = { readonly [K in keyof NewEndpoint]?: NewEndpoint[K] | undefined } & {
  readonly state?: 'on' | 'off' | undefined
}

export interface TenantWebhooks {
  list(query: PageQuery): Promise<Page<Endpoint>>
  get(id: string): Promise<Endpoint>
  /** The secret is shown here only. `address_refused`, `too_many`. */
  create(endpoint: NewEndpoint): Promise<{ readonly endpoint: Endpoint; readonly secret: string }>
  /** Switched on again it begins with a clean record; what waited is tried. */
  change(id: string, edit: EndpointEdit): Promise<Endpoint>
  /** A new secret: what is sent from now on is signed with it. */
  newSecret(id: string): Promise<string>
  remove(id: string): Promise<void>
  /** One message of type `webhook.test`, now and once. */
  test(id: string): Promise<Sent>
  /** Newest first. */
  deliveries(id: string, query: PageQuery): Promise<Page<Delivery>>
  again(id: string, deliveryId: string): Promise<Delivery>
}

export interface Webhooks {
  of(tenantId: TenantId): TenantWebhooks
  /** Of the log: told of everything new. Never throws. */
  onEvent(tenantId: TenantId, event: EventView): void
  /** What is due, and what nobody put into the outbox. */
  sweep(): Promise<void>
  /** Begins nothing more, and waits for what is on its way. */
  drain(): Promise<void>
}

export interface WebhooksDeps {
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
  readonly guard: Pick<FetchGuard, 'fetch' | 'check'>
  readonly events: Pick<Events, 'of'>
  /** Signing secrets, sealed. Identity stands beside this slice: joined in slices.ts. */
  readonly secrets: {
    get(tenantId: TenantId, endpointId: string): Promise<string | undefined>
    put(tenantId: TenantId, endpointId: string, value: string): Promise<unknown>
    remove(tenantId: TenantId, endpointId: string): Promise<unknown>
  }
  readonly random?: () => number
}

export const webhookCollections: readonly CollectionSpec[] = [endpointStore.spec, deliveryStore.spec]

const maxEndpoints = 20
/** How long endpoints of a tenant are taken as they were: what is switched on elsewhere hears of things that late at most. */
const knownMs = 5_000
const maxKnown = 1_000
const sweptEveryMs = 60_000
/** Clocks of processes differ, and an event is in the log a moment after its time. */
const overlapMs = 120_000
const batch = 200
const system = { kind: 'system', id: 'gateway', name: 'Parley' } as const

interface Known {
  readonly atMs: number
  readonly endpoints: Promise<readonly Endpoint[]>
}

export function createWebhooks(deps: WebhooksDeps): Webhooks {
  const { clock, log, guard } = deps
  const endpoints = endpointStore.open(deps.db)
  const deliveries = deliveryStore.open(deps.db)
  const send = createSender({ guard, clock })
  const known = new Map<TenantId, Known>()
  const underway = new Set<Promise<unknown>>()
  const courier = createCourier({
    ...{ endpoints, deliveries, send, clock, log, random: deps.random ?? Math.random },
    secretOf: (tenantId, id) => deps.secrets.get(tenantId, id),
    async onDisabled({ tenantId, id, url }, why) {
      known.delete(tenantId)
      const payload = { webhookId: id, url, why }
      await deps.events.of(tenantId).emit({ type: 'webhook.failed', actor: system, payload })
    },
  })
  const track = tracking(underway, log)
  const onesOf = knownEndpoints(endpoints, clock, known)
  const enqueue = async (endpoint: Endpoint, events: readonly EventView[]): Promise<void> => {
    const { tenantId, id } = endpoint
    const now = new Date(clock.now())
    const wanted = events.filter((each) => wants(endpoint.types, each.type))
    if (wanted.length === 0) return
    await deliveries.add(
      tenantId,
      wanted.map((event) => deliveryOf(endpoint, event)),
      now,
    )
    await endpoints.dueBy(tenantId, id, now)
    track(deliver({ ...endpoint, dueAt: now }), 'webhooks not delivered')
  }
  /** Of what is still to come of it, the endpoint says when. */
  const deliver = async (endpoint: Endpoint & { readonly dueAt: Date }): Promise<void> => {
    const { tenantId, id } = endpoint
    await courier.deliver(endpoint)
    await endpoints.settleDue(tenantId, id, endpoint.dueAt, await deliveries.nextDue(tenantId, id))
  }
  /** Everything of the log since it was looked through: what is in the outbox already stays there once. */
  const lookThrough = async (endpoint: Endpoint): Promise<void> => {
    const { tenantId, id, sweptTo, createdAt } = endpoint
    const to = new Date(clock.now())
    const from = new Date(Math.max(sweptTo.getTime() - overlapMs, createdAt.getTime()))
    let cursor: string | undefined
    do {
      const page = await deps.events.of(tenantId).list({ from, to, limit: batch, cursor })
      await enqueue(endpoint, page.items)
      cursor = page.next ?? undefined
    } while (cursor !== undefined)
    await endpoints.swept(tenantId, id, to)
  }

  return {
    of: (tenantId) =>
      tenantWebhooks({ ...deps, endpoints, deliveries, send, tenantId, changed: () => known.delete(tenantId) }),
    onEvent(tenantId, event) {
      const tell = async (): Promise<void> => {
        for (const each of await onesOf(tenantId)) if (each.state === 'on') await enqueue(each, [event])
      }
      track(tell(), 'webhooks not put into the outbox, the log will be looked through')
    },
    async sweep() {
      const now = clock.now()
      const due = await endpoints.due(new Date(now), batch)
      for (const each of due) track(deliver(each), 'webhooks not delivered')
      for (const each of await endpoints.unswept(new Date(now - sweptEveryMs), batch)) await lookThrough(each)
    },
    async drain() {
      courier.stop()
      await Promise.all(underway)
    },
  }
}

/** Work that nobody waits for but `drain`. */
function tracking(underway: Set<Promise<unknown>>, log: Log) {
  return (work: Promise<unknown>, what: string): void => {
    const done = work.catch((error: unknown) => log.warn({ err: error }, what)).finally(() => underway.delete(done))
    underway.add(done)
  }
}

/** A tenant's endpoints as they were a few seconds ago. */
function knownEndpoints(store: Pick<EndpointStore, 'list'>, clock: Clock, known: Map<TenantId, Known>) {
  return (tenantId: TenantId): Promise<readonly Endpoint[]> => {
    const now = clock.monotonicMs()
    const fresh = known.get(tenantId)
    if (fresh !== undefined && now - fresh.atMs < knownMs) return fresh.endpoints
    if (known.size >= maxKnown) known.clear()
    const read = store.list(tenantId, { limit: maxEndpoints })
    known.set(tenantId, { atMs: now, endpoints: read })
    read.catch(() => known.delete(tenantId))
    return read
  }
}

function deliveryOf(endpoint: Endpoint, event: EventView): NewDelivery {
  const id = idOf('hdel', endpoint.tenantId, endpoint.id, event.id)
  return { id, endpointId: endpoint.id, eventId: event.id, type: event.type, body: bodyOf(event) }
}

type Scope = WebhooksDeps & {
  readonly endpoints: ReturnType<typeof endpointStore.open>
  readonly deliveries: ReturnType<typeof deliveryStore.open>
  readonly send: ReturnType<typeof createSender>
  readonly tenantId: TenantId
  readonly changed: () => void
}

const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`

function tenantWebhooks(scope: Scope): TenantWebhooks {
  const { endpoints, deliveries, secrets, guard, tenantId, changed, clock } = scope
  const get = async (id: string) => found(await endpoints.byId(tenantId, id))
  const now = () => new Date(clock.now())
  return {
    async list({ cursor, limit }) {
      const some = await endpoints.list(tenantId, { after: cursor, limit: limit + 1 })
      return pageFrom(some, limit, { view: (each) => each, cursor: (each) => each.id })
    },
    get,
    async create(given) {
      await guard.check(given.url)
      if ((await endpoints.list(tenantId, { limit: maxEndpoints })).length === maxEndpoints)
        throw new Problem('too_many', `A tenant has ${maxEndpoints} webhooks at most.`)
      const endpoint = await endpoints.insert(tenantId, given, now())
      const secret = newSecret()
      await secrets.put(tenantId, endpoint.id, secret)
      changed()
      return { endpoint, secret }
    },
    async change(id, edit) {
      if (edit.url !== undefined) await guard.check(edit.url)
      const set = Object.fromEntries(Object.entries(edit).filter(([, value]) => value !== undefined))
      const clean = edit.state === 'on' ? { failures: 0, failingSince: null, error: null } : {}
      const endpoint = found(await endpoints.change(tenantId, id, { ...set, ...clean }))
      if (edit.state === 'on') await endpoints.dueBy(tenantId, id, now())
      changed()
      return endpoint
    },
    async newSecret(id) {
      await get(id)
      const secret = newSecret()
      await secrets.put(tenantId, id, secret)
      return secret
    },
    async remove(id) {
      if (!(await endpoints.remove(tenantId, id))) throw new Problem('not_found')
      changed()
      await deliveries.removeAll(tenantId, id)
      await secrets.remove(tenantId, id)
    },
    async test(id) {
      const { url } = await get(id)
      const secret = await secrets.get(tenantId, id)
      if (secret === undefined) throw new Problem('conflict', 'Its signing secret is gone: make a new one.')
      const body = JSON.stringify({ type: 'webhook.test', timestamp: now().toISOString(), data: { webhookId: id } })
      return scope.send({ tenantId, endpointId: id, url, secret }, { id: newId('hdel'), body })
    },
    async deliveries(id, { cursor, limit }) {
      await get(id)
      const after = cursor === undefined ? undefined : momentOf(cursor)
      const some = await deliveries.page(tenantId, id, { after, limit: limit + 1 })
      return pageFrom(some, limit, { view: (each) => each, cursor: momentCursor })
    },
    async again(id, deliveryId) {
      const delivery = found(await deliveries.again(tenantId, id, deliveryId, now()))
      await endpoints.dueBy(tenantId, id, now())
      return delivery
    },
  }
}
