// Everything the panel shows, as one value; every change is one action through one pure reducer.

import type { ParleyNotice, ParleySession } from '../gateway/protocol/realtime.ts'
import type { WidgetBootstrap } from '../gateway/protocol/rest.ts'
import type { Turn } from '../gateway/protocol/turn.ts'
import { add, change, find, type Line, proven, settled, withText, withTurn, withVisual } from './lines.ts'
import type { Ending } from './retry.ts'
import type { WireEvent } from './wire.ts'

export type Boot = Omit<WidgetBootstrap, 'token' | 'expiresAt'>

/** Why there is no microphone. `gesture`: the browser wants a click inside the panel before it plays sound. */
export type MicProblem = 'blocked' | 'missing' | 'policy' | 'lost' | 'gesture' | 'failed'

export interface State {
  /** Of the socket. `idle`: none, none needed. `refused`: not even the panel may be used here. */
  readonly phase: 'loading' | 'idle' | 'connecting' | 'live' | 'reconnecting' | 'refused'
  readonly boot: Boot | undefined
  /** The session the panel is or was in. */
  readonly session: string | undefined
  readonly call: 'off' | 'starting' | 'on'
  /** The page before this one left a call: a hand can take it up again. */
  readonly paused: boolean
  /** Milliseconds since epoch. */
  readonly callSince: number | undefined
  readonly muted: boolean
  readonly captions: boolean
  readonly mic: MicProblem | undefined
  readonly lines: readonly Line[]
  /** Text of deltas so far, by item. */
  readonly live: Readonly<Record<string, string>>
  readonly engine: ParleySession['engine'] | undefined
  readonly playing: boolean
  readonly responding: boolean
  /** The person finished; no answer has begun. */
  readonly asked: boolean
  readonly quietBeats: number
  readonly talking: boolean
  /** Ids of visuals whose last submit was not taken. */
  readonly refused: readonly string[]
  /** Call ids of tools at work. */
  readonly tools: readonly string[]
  /** Item ids of calls that somebody must approve first. */
  readonly waiting: readonly string[]
  readonly banner: ParleyNotice['code'] | undefined
  /** `seconds`: of a call that came about. */
  readonly ended: { readonly ending: Ending; readonly call: boolean; readonly seconds: number | undefined } | undefined
  /** Why the panel is reconnecting. */
  readonly trouble: Ending | undefined
  /** Reconnecting takes so long that it must be said. */
  readonly overdue: boolean
  /** A session was lost: what the panel shows of it may never have become part of the conversation. */
  readonly doubt: boolean
  readonly visible: boolean
  readonly unread: number
  /** Spoken by a screen reader, once. */
  readonly announce: string
}

export type Action =
  | { readonly is: 'boot'; readonly boot: Boot }
  | { readonly is: 'refused'; readonly ending: Ending }
  | { readonly is: 'wire'; readonly event: WireEvent }
  | { readonly is: 'connecting' }
  /** `waits`: the session does, for this panel. */
  | { readonly is: 'reconnecting'; readonly trouble: Ending; readonly waits: boolean }
  | { readonly is: 'overdue' }
  | { readonly is: 'gone' }
  | { readonly is: 'paused'; readonly on: boolean }
  | { readonly is: 'closed'; readonly ending: Ending; readonly nowMs: number }
  | ({ readonly is: 'write' } & Pick<Line, 'itemId' | 'text' | 'submit'>)
  | { readonly is: 'playing'; readonly on: boolean }
  | { readonly is: 'call'; readonly at: State['call']; readonly nowMs: number }
  | { readonly is: 'mic'; readonly problem: MicProblem | undefined }
  | { readonly is: 'mute'; readonly on: boolean }
  | { readonly is: 'captions'; readonly on: boolean }
  /** Messages given up are to be sent after all. */
  | { readonly is: 'resend' }
  | { readonly is: 'visible'; readonly on: boolean }

export const initial: State = {
  phase: 'loading',
  boot: undefined,
  session: undefined,
  call: 'off',
  paused: false,
  callSince: undefined,
  muted: false,
  captions: true,
  mic: undefined,
  lines: [],
  live: {},
  engine: undefined,
  playing: false,
  responding: false,
  asked: false,
  quietBeats: 0,
  talking: false,
  refused: [],
  tools: [],
  waiting: [],
  banner: undefined,
  ended: undefined,
  trouble: undefined,
  overdue: false,
  doubt: false,
  visible: false,
  unread: 0,
  announce: '',
}

/** What a session that is over leaves behind: nobody speaks, thinks or looks anything up. */
const still = { playing: false, responding: false, asked: false, talking: false, tools: [], quietBeats: 0 } as const

/** An answer that has not begun after 3 heartbeats (15 s) will not: what was taken for speech was noise. */
const patienceBeats = 3

const greetingId = 'greeting'

const quietEnds: ReadonlySet<string> = new Set<Ending['reason']>(['idle', 'client_ended', 'engine_ended'])

export function reduce(state: State, action: Action): State {
  switch (action.is) {
    case 'boot':
      return booted(state, action.boot)
    case 'refused':
      return {
        ...state,
        phase: 'refused',
        call: 'off',
        ended: { ending: action.ending, call: false, seconds: undefined },
      }
    case 'wire':
      return received(state, action.event)
    case 'connecting':
      return state.phase === 'reconnecting'
        ? state
        : { ...state, phase: 'connecting', ended: undefined, banner: undefined }
    case 'reconnecting':
      return away(state, action)
    case 'overdue':
      return state.phase === 'reconnecting' ? { ...state, overdue: true } : state
    case 'gone':
      return gone(state)
    case 'paused':
      return { ...state, paused: action.on }
    case 'closed':
      return closed(state, action.ending, action.nowMs)
    case 'write':
      return {
        ...state,
        asked: true,
        quietBeats: 0,
        ended: undefined,
        refused: state.refused.filter((id) => id !== action.submit?.id),
        lines: add(state.lines, { ...written(action), role: 'user', state: 'waiting' }),
      }
    case 'playing':
      return playing(state, action.on)
    case 'call':
      return called(state, action.at, action.nowMs)
    case 'mic':
      return { ...state, mic: action.problem }
    case 'mute':
      return { ...state, muted: action.on }
    case 'captions':
      return { ...state, captions: action.on }
    case 'resend':
      return {
        ...state,
        ended: undefined,
        lines: state.lines.map((line) => (line.state === 'unsent' ? { ...line, state: 'waiting' } : line)),
      }
    case 'visible':
      return { ...state, visible: action.on, unread: action.on ? 0 : state.unread }
  }
}

function written({ itemId, text, submit }: Action & { is: 'write' }): Pick<Line, 'itemId' | 'text' | 'submit'> {
  return submit === undefined ? { itemId, text } : { itemId, text, submit }
}

function away(state: State, { trouble, waits }: Action & { is: 'reconnecting' }): State {
  const { overdue, phase } = state
  const next = { ...state, phase: 'reconnecting', trouble, overdue: phase === 'reconnecting' && overdue } as const
  // Of a session that waits, everything that is missed comes later.
  if (waits) return { ...next, playing: false, talking: false, quietBeats: 0 }
  return { ...next, ...still, lines: settled(state.lines) }
}

/** The next session begins where this conversation is stored to have come. */
function gone(state: State): State {
  if (state.session === undefined) return state
  const lines = settled(state.lines)
  return { ...state, playing: false, doubt: true, lines: noted(lines, `note:gone:${lines.length}`, '') }
}

function noted(lines: readonly Line[], itemId: string, text: string): readonly Line[] {
  const seq = Math.max(0, ...lines.map((line) => line.seq ?? 0)) + 0.5
  return add(lines, { itemId, role: 'note', text, state: 'final', seq })
}

function playing(state: State, on: boolean): State {
  return { ...state, playing: on, asked: on ? false : state.asked }
}

function booted(state: State, boot: Boot): State {
  const { greeting } = boot.texts
  const greets = greeting !== '' && find(state.lines, greetingId) === undefined
  return {
    ...state,
    boot,
    phase: state.phase === 'loading' || state.phase === 'refused' ? 'idle' : state.phase,
    ended: state.phase === 'refused' ? undefined : state.ended,
    lines: greets
      ? add(state.lines, { itemId: greetingId, role: 'agent', text: greeting, state: 'final', born: 0 })
      : state.lines,
  }
}

function called(state: State, at: State['call'], nowMs: number): State {
  if (at === 'starting') return { ...state, call: at, paused: false, muted: false, mic: undefined, ended: undefined }
  if (at === 'off') return { ...state, ...still, call: at, callSince: undefined, muted: false }
  return { ...state, call: at, callSince: state.callSince ?? nowMs }
}

function closed(state: State, ending: Ending, nowMs: number): State {
  const call = state.call !== 'off'
  const seconds = state.callSince === undefined ? undefined : Math.max(0, Math.round((nowMs - state.callSince) / 1000))
  // A written conversation that simply went quiet is no event: the next message goes on.
  const silent = !call && (quietEnds.has(ending.reason) || (ending.reason === 'lost' && !isNeeded(state)))
  const unsent = (line: Line): Line => (line.state === 'waiting' ? { ...line, state: 'unsent' } : line)
  return {
    ...state,
    ...still,
    phase: 'idle',
    call: 'off',
    paused: false,
    callSince: undefined,
    muted: false,
    banner: undefined,
    trouble: undefined,
    overdue: false,
    lines: settled(state.lines).map(unsent),
    ended: silent ? undefined : { ending, call, seconds },
  }
}

function received(state: State, event: WireEvent): State {
  switch (event.type) {
    case 'parley.session':
      return opened(state, event)
    case 'parley.turn':
      return turned(state, event.turn)
    case 'parley.notice':
      return noticed(state, event)
    case 'parley.heartbeat':
      return beaten(state)
    case 'parley.visual': {
      const { id, visual, data } = event
      return { ...state, lines: withVisual(state.lines, { id, visual, data }) }
    }
    case 'parley.visual.refused': {
      const { id, item_id } = event
      const lines = state.lines.filter((line) => line.itemId !== item_id)
      return { ...state, asked: false, refused: [...state.refused.filter((each) => each !== id), id], lines }
    }
    case 'parley.committed':
      return { ...state, lines: event.item_ids.reduce(stored, state.lines) }
    case 'text':
      return { ...calm(state), ...withText(state.lines, state.live, event) }
    case 'speech':
      return event.phase === 'start'
        ? { ...state, talking: true, asked: false }
        : { ...state, talking: false, asked: true, quietBeats: 0 }
    case 'sound':
      return playing(state, event.on)
    case 'response':
      return { ...state, responding: event.phase === 'start', asked: false }
    default:
      return state
  }
}

function stored(lines: readonly Line[], itemId: string): readonly Line[] {
  return find(lines, itemId)?.state === 'waiting' ? change(lines, itemId, { state: 'final' }) : lines
}

/** The agent speaks again. */
function calm(state: State): State {
  return state.banner === 'engine_trouble' ? { ...state, banner: undefined } : state
}

function opened(state: State, session: ParleySession): State {
  const { session_id, engine, history, resumed } = session
  const live = { phase: 'live', session: session_id, engine, trouble: undefined, overdue: false, doubt: false } as const
  const same = state.session === session_id
  // What was missed follows.
  if (same && resumed?.gap === false) return { ...state, ...live }
  const sure = state.doubt || same ? proven(state.lines, history) : settled(state.lines)
  const before = history.reduce((lines, turn) => withTurn(lines, turn, turn.sessionId !== session_id), sure)
  // The greeting stands between what was said before this visit and what is said now.
  const lastPast = Math.max(0, ...before.map((line) => (line.past ? (line.seq ?? 0) : 0)))
  const lines = state.engine === undefined ? change(before, greetingId, { seq: lastPast + 0.5 }) : before
  const partial = history.filter((turn) => turn.state === 'partial').map(({ itemId, text }) => [itemId, text] as const)
  return {
    ...state,
    ...still,
    ...live,
    asked: state.asked,
    lines,
    live: Object.fromEntries(partial),
    waiting: history.flatMap(({ tool, itemId }) => (tool?.state === 'waiting' ? [itemId] : [])),
    banner: undefined,
  }
}

function turned(state: State, turn: Turn): State {
  if (turn.role === 'tool') return worked({ ...state, lines: withTurn(state.lines, turn) }, turn)
  const was = find(state.lines, turn.itemId)?.state
  const lines = withTurn(state.lines, turn)
  const answered = turn.role === 'agent' && turn.state !== 'partial' && (was === undefined || was === 'partial')
  if (!answered || turn.text === '') return { ...state, lines }
  return {
    ...state,
    lines,
    // A voice that is heard need not be read out too.
    announce: turn.voice ? state.announce : turn.text,
    unread: state.visible ? 0 : state.unread + 1,
  }
}

function worked(state: State, { tool, itemId }: Turn): State {
  const others = state.tools.filter((each) => each !== itemId)
  const rest = state.waiting.filter((each) => each !== itemId)
  const waiting = tool?.state === 'waiting' ? [...rest, itemId] : rest
  if (tool?.state === 'running') return { ...state, tools: [...others, itemId], waiting }
  return { ...state, tools: others, waiting, asked: state.tools.length > others.length ? true : state.asked }
}

function noticed(state: State, { code, text }: ParleyNotice): State {
  switch (code) {
    case 'tool_running':
    case 'media_lost':
    case 'ended':
      return state
    case 'credit_low':
    case 'wrapping_up':
    case 'engine_trouble':
      return { ...state, banner: code }
    case 'demo_engine':
    case 'heard_speech': {
      const itemId = code === 'demo_engine' ? `note:${code}` : `note:${code}:${state.lines.length}`
      if (find(state.lines, itemId) !== undefined) return state
      return { ...state, lines: noted(state.lines, itemId, text) }
    }
  }
}

function beaten(state: State): State {
  if (!state.asked || state.responding) return state
  const quietBeats = state.quietBeats + 1
  return quietBeats < patienceBeats ? { ...state, quietBeats } : { ...state, quietBeats: 0, asked: false }
}

export type Activity = 'connecting' | 'listening' | 'thinking' | 'speaking'

export function activityOf(state: State): Activity {
  if (state.phase === 'connecting' || isCutOff(state) || state.call === 'starting') return 'connecting'
  if (state.playing) return 'speaking'
  if (state.talking) return 'listening'
  return state.responding || state.asked || state.tools.length > 0 ? 'thinking' : 'listening'
}

/** To be told: reconnecting takes long, or has a reason the person should know. */
export function isCutOff({ phase, overdue, trouble }: State): boolean {
  return phase === 'reconnecting' && (overdue || trouble?.reason === 'refused')
}

/** What the person wrote last, if nobody answered it. */
export function unanswered({ lines, asked }: State): Line | undefined {
  const last = lines.findLast(({ role }) => role !== 'note')
  return asked && last?.role === 'user' && !last.voice && last.state === 'final' ? last : undefined
}

/** Messages that still have to reach the gateway, oldest first. */
export function waiting(state: State): readonly Line[] {
  return state.lines.filter((line) => line.state === 'waiting')
}

/** A connection is worth keeping only while somebody waits for it. */
export function isNeeded(state: State): boolean {
  return state.call !== 'off' || waiting(state).length > 0 || state.asked || state.responding
}
