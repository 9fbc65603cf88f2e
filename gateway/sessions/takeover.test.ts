import { expect, test } from 'vitest'
import { asTenantId } from '../platform/ids.ts'
import { ResumeKey } from './resume-token.ts'
import { Returns } from './returns.ts'
import { resumeSession } from './takeover.ts'

type Deps = Parameters<typeof resumeSession>[0]
type Request = Parameters<typeof resumeSession>[1]

test('[S31] what the heartbeat says is read before the hold is taken: later it counts time in which nobody was served', async () => {
  const order: string[] = []
  const left = {
    ...{ view: { contactId: 'cont_a', agent: { id: 'agt_a' } }, owner: 'node_a', epoch: 1, holdId: 'hold_a' },
    ...{ resume: ResumeKey.first('token').state, released: true },
  }
  const does = <T>(what: string, answer: T): Promise<T> => {
    order.push(what)
    return Promise.resolve(answer)
  }
  const deps = {
    nodeId: 'node_b',
    returns: new Returns(),
    live: { get: () => undefined },
    store: { resumable: async () => left, claim: () => does('session', { ...left, epoch: 2 }) },
    usage: { lastBeat: () => does('heartbeat', undefined) },
    ledger: { of: () => ({ takeOver: () => does('hold', { is: 'lost' }) }) },
  } as unknown as Deps
  const request = {
    ...{ tenantId: asTenantId('ten_a'), sessionId: 'sess_a', token: 'token', contactId: 'cont_a' },
    brief: { agentId: 'agt_a' },
    isGone: () => false,
  } as unknown as Request
  await expect(resumeSession(deps, request)).rejects.toMatchObject({ code: 'gone' })
  expect(order.toSorted()).toEqual(['heartbeat', 'hold', 'session'])
  expect(order.at(-1)).toBe('hold')
})
