// Takes what is due to where it is to go. Any number of processes may: a delivery is claimed for the time of its attempt, and
// an endpoint that is slow takes no more than its own places.

import type { Clock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import type { Log } from '../platform/log.ts'
import type { Claimed, DeliveryStore } from './delivery-store.ts'
import type { Endpoint, EndpointStore } from './endpoint-store.ts'
import type { Send } from './sender.ts'
import { isHopeless, pauseMs } from './webhook.ts'

export interface CourierDeps {
  readonly endpoints: EndpointStore
  readonly deliveries: DeliveryStore
  readonly send: Send
  readonly secretOf: (tenantId: TenantId, endpointId: string) => Promise<string | undefined>
  readonly onDisabled: (endpoint: Endpoint, why: string) => Promise<void>
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
}

export interface Courier {
  /** Whatever is due to one endpoint; what comes meanwhile too. */
  deliver(endpoint: Endpoint): Promise<void>
  /** Nothing more is begun. */
  stop(): void
}

/** An attempt takes 10 s at most: whoever died over one is not waited for longer than this. */
const leaseMs = 60_000
const atOnce = 4
/** Of one endpoint in one go: the others want their turn. */
const inOneGo = 200

export function createCourier(deps: CourierDeps): Courier {
  const busy = new Map<string, { again: boolean; done: Promise<void> }>()
  let isOver = false

  const run = async (endpoint: Endpoint): Promise<void> => {
    const { tenantId, id } = endpoint
    let left = inOneGo
    const work = async (): Promise<void> => {
      while (left-- > 0 && !isOver) {
        const now = deps.clock.now()
        const claimed = await deps.deliveries.claim(tenantId, id, new Date(now), new Date(now + leaseMs))
        if (claimed === undefined) return
        if (!(await attempt(deps, endpoint, claimed))) left = 0
      }
    }
    await Promise.all(Array.from({ length: atOnce }, work))
  }

  return {
    async deliver(endpoint) {
      const known = busy.get(endpoint.id)
      if (known !== undefined) {
        known.again = true
        return known.done
      }
      const state = { again: true, done: Promise.resolve() }
      const loop = async (): Promise<void> => {
        while (state.again) {
          state.again = false
          await run(endpoint)
        }
      }
      state.done = loop().finally(() => busy.delete(endpoint.id))
      busy.set(endpoint.id, state)
      return state.done
    },
    stop() {
      isOver = true
    },
  }
}

/** False: this endpoint is not asked any more. */
async function attempt(deps: CourierDeps, endpoint: Endpoint, claimed: Claimed): Promise<boolean> {
  const { tenantId, id: endpointId, url } = endpoint
  const secret = await deps.secretOf(tenantId, endpointId)
  const sent =
    secret === undefined
      ? ({ is: 'failed', status: null, error: 'Its signing secret is gone: make a new one.' } as const)
      : await deps.send({ tenantId, endpointId, url, secret }, { id: claimed.id, body: claimed.body })
  const now = deps.clock.now()
  const { status } = sent
  if (sent.is === 'delivered') {
    await deps.deliveries.settle(tenantId, claimed.id, { state: 'delivered', status, error: null, nextAt: null })
    await deps.endpoints.succeeded(tenantId, endpointId, new Date(now))
    return true
  }
  const pause = sent.is === 'gone' ? undefined : pauseMs(claimed.attempts, deps.random(), sent.askedMs)
  await deps.deliveries.settle(tenantId, claimed.id, {
    ...{ state: pause === undefined ? 'dropped' : 'waiting', status, error: sent.error },
    nextAt: pause === undefined ? null : new Date(now + pause),
  })
  const after = await deps.endpoints.failed(tenantId, endpointId, new Date(now))
  const isLost = sent.is === 'gone' || (after !== undefined && isHopeless(after.failingSince, after.failures, now))
  if (!isLost) return true
  const why =
    sent.is === 'gone' ? 'The other side says that it is gone (410).' : `A day without one success: ${sent.error}`
  await deps.endpoints.change(tenantId, endpointId, { state: 'failed', error: why })
  deps.log.warn({ tenantId, endpointId, failures: after?.failures }, 'webhook switched off')
  await deps.onDisabled(endpoint, why)
  return false
}
