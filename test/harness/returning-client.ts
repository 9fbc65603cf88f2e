// A client of parley.v1 that can lose its connection and come back, as the widget does. Keeps what it took, by number.

import WebSocket from 'ws'
import { subprotocol } from '../../gateway/protocol/realtime.ts'
import { type ServerEvent, TestClient } from './client.ts'

export interface Way {
  readonly sessionId: string
  readonly token: string
  readonly lastSeq: number
}

export async function openParley(wsUrl: string, token: string, back?: Way): Promise<TestClient> {
  const offers: string[] = [subprotocol.parley, subprotocol.tokenPrefix + token]
  if (back !== undefined) offers.push(`${subprotocol.resumePrefix}${back.sessionId}.${back.token}.${back.lastSeq}`)
  const client = new TestClient(new WebSocket(`${wsUrl}/v1/realtime`, offers, { origin: wsUrl.replace('ws', 'http') }))
  await client.until(() => (client.socket.readyState === WebSocket.CONNECTING ? undefined : true), 'the connection')
  return client
}

/** What the client would offer if it lost its connection now. */
export function wayBack(client: Pick<TestClient, 'events' | 'ofType'>): Way {
  const session = client.ofType('parley.session').at(-1)
  if (session === undefined) throw new Error('the client has no session')
  const resume = session.resume
  const token = typeof resume === 'object' && resume !== null && 'token' in resume ? String(resume.token) : ''
  return { sessionId: String(session.session_id), token, lastSeq: lastSeq(client) }
}

export function lastSeq(client: Pick<TestClient, 'events'>): number {
  const at = client.events.findLastIndex((event) => event.type === 'parley.session')
  let last = Number(client.events[at]?.seq ?? 0)
  for (const event of client.events.slice(at + 1)) if (typeof event.seq === 'number') last = event.seq
  return last
}

export function say(client: TestClient, itemId: string, text: string): void {
  client.send({ type: 'parley.say', item_id: itemId, text })
}

/** The texts of the agent's decided turns, newest version of each, in order of their place. */
export function turnsOf(events: readonly ServerEvent[]): readonly Record<string, unknown>[] {
  const turns = new Map<string, Record<string, unknown>>()
  for (const event of events) {
    const { turn, history } = event
    const told = event.type === 'parley.turn' ? [turn] : event.type === 'parley.session' ? history : []
    for (const each of Array.isArray(told) ? told : []) turns.set(String(each.itemId), each)
  }
  return [...turns.values()].sort((a, b) => Number(a.seq) - Number(b.seq))
}
