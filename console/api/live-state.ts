// What the console knows from its live socket: a pure reducer over the gateway's events.

import type { ProblemCode } from '../../gateway/protocol/codes.ts'
import type { ConsoleServerEvent, SessionView } from '../../gateway/protocol/rest.ts'
import type { Turn } from '../../gateway/protocol/turn.ts'

export type Link =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  | { readonly state: 'reconnecting'; readonly attempt: number }
  /** The gateway will not let us in however often we ask. */
  | { readonly state: 'refused'; readonly code: ProblemCode }

export interface Notice {
  readonly sessionId: string
  readonly code: string
  readonly text: string
  readonly at: string
}

export interface LiveState {
  readonly link: Link
  /** A first snapshot arrived: an empty list means that nobody is talking. */
  readonly ready: boolean
  readonly sessions: ReadonlyMap<string, SessionView>
  readonly turns: ReadonlyMap<string, readonly Turn[]>
  readonly notices: readonly Notice[]
  /** Counts what was told of requests for approval: lists of them are read again. */
  readonly approvalChanges: number
}

export type LiveAction =
  | { readonly type: 'link'; readonly link: Link }
  | { readonly type: 'event'; readonly event: ConsoleServerEvent }
  | { readonly type: 'forget'; readonly sessionId: string }

/** Ended sessions stay for the eye of whoever watches them; beyond this many the oldest go. */
const keptEnded = 40
const keptNotices = 200

export const emptyLive: LiveState = {
  link: { state: 'connecting' },
  ready: false,
  sessions: new Map(),
  turns: new Map(),
  notices: [],
  approvalChanges: 0,
}

export function reduceLive(state: LiveState, action: LiveAction): LiveState {
  switch (action.type) {
    case 'link':
      return { ...state, link: action.link }
    case 'forget':
      return { ...state, turns: without(state.turns, action.sessionId) }
    case 'event':
      return reduceEvent(state, action.event)
  }
}

function reduceEvent(state: LiveState, event: ConsoleServerEvent): LiveState {
  switch (event.type) {
    case 'sessions':
      return { ...state, ready: true, sessions: new Map(event.sessions.map((session) => [session.id, session])) }
    case 'session':
      return { ...state, sessions: upsertSession(state.sessions, event.session) }
    case 'turns':
      return { ...state, turns: new Map(state.turns).set(event.sessionId, inOrder(event.turns)) }
    case 'turn': {
      const known = state.turns.get(event.sessionId) ?? []
      return { ...state, turns: new Map(state.turns).set(event.sessionId, upsertTurn(known, event.turn)) }
    }
    case 'notice':
      return { ...state, notices: [...state.notices, event].slice(-keptNotices) }
    case 'approval':
      return { ...state, approvalChanges: state.approvalChanges + 1 }
    case 'ping':
      return state
  }
}

/** An ended session never comes back to life through a late update. */
function upsertSession(sessions: ReadonlyMap<string, SessionView>, session: SessionView) {
  const known = sessions.get(session.id)
  if (known?.state === 'ended' && session.state !== 'ended') return sessions
  const next = new Map(sessions).set(session.id, session)
  const ended = [...next.values()].filter((one) => one.state === 'ended')
  for (const old of ended.sort(byEnd).slice(0, Math.max(0, ended.length - keptEnded))) next.delete(old.id)
  return next
}

/** Ordered by when speech began; an update older than what is known is dropped. */
export function upsertTurn(turns: readonly Turn[], turn: Turn): readonly Turn[] {
  const at = turns.findIndex((one) => one.id === turn.id)
  const known = turns[at]
  if (known === undefined) return inOrder([...turns, turn])
  if (known.updatedAt > turn.updatedAt) return turns
  return inOrder(turns.with(at, turn))
}

/** The stored transcript with what the socket told since; whichever is newer of the same turn wins. */
export function mergeTurns(stored: readonly Turn[], live: readonly Turn[]): readonly Turn[] {
  if (live.length === 0) return inOrder(stored)
  return live.reduce(upsertTurn, stored)
}

/** The newer of two views of one session: the answer of the API or the socket's. */
export function newerSession(stored: SessionView | undefined, live: SessionView | undefined): SessionView | undefined {
  if (stored === undefined || live === undefined) return stored ?? live
  if (stored.state === 'ended') return stored
  return live.state === 'ended' || live.lastSeenAt >= stored.lastSeenAt ? live : stored
}

function inOrder(turns: readonly Turn[]): readonly Turn[] {
  return turns.toSorted((a, b) => a.seq - b.seq)
}

function byEnd(a: SessionView, b: SessionView): number {
  return (a.endedAt ?? '').localeCompare(b.endedAt ?? '')
}

function without<V>(map: ReadonlyMap<string, V>, key: string): ReadonlyMap<string, V> {
  const next = new Map(map)
  next.delete(key)
  return next
}
