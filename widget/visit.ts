// One person at one panel: joins token, line, sound and state, and performs what the person asks for.

import type { ParleyAction, ParleyPlayed, ParleySession } from '../gateway/protocol/realtime.ts'
import { type BootRequest, bootstrap, randomId } from './bootstrap.ts'
import type { Block } from './capture.ts'
import type { Line } from './lines.ts'
import { Link, type TokenAnswer } from './link.ts'
import { Playback } from './playback.ts'
import type { PlayoutEvent } from './playout.ts'
import type { Ending } from './retry.ts'
import { type Action, initial, isNeeded, reduce, type State, unanswered, waiting } from './state.ts'
import { MicError, Voice } from './voice.ts'
import { WayBack } from './way-back.ts'
import type { WireEvent } from './wire.ts'

/** Tokens live 15 minutes; one older than this is not tried any more. */
const tokenFreshMs = 10 * 60_000
/** The player answers a flush within a few milliseconds, or never (a suspended page). */
const flushMs = 150
/** More items than are under way at once. */
const keptFinals = 8
/** A loss that is over sooner than this is nobody's business. */
const overdueMs = 3_000

export class Visit {
  readonly #request: BootRequest
  readonly #listeners = new Set<(state: State, before: State) => void>()
  readonly #back: WayBack
  readonly #link: Link
  #state: State = initial
  #token: { readonly value: string; readonly atMs: number } | undefined
  #voice: Voice | undefined
  /** Last positions of the session's latest items: a report may be lost with its connection, and is repeated. */
  #finals: readonly ParleyPlayed[] = []
  #playback = this.#newPlayback()
  #onFlushed: () => void = () => undefined
  #overdue: ReturnType<typeof setTimeout> | undefined
  #half: Uint8Array | undefined
  #onAction: (action: ParleyAction) => void = ({ call_id }) => this.answer(call_id, false, 'no page')
  #noRtc = false

  /** `storage`: of this tab, if it may be used. */
  constructor(request: BootRequest, storage?: Storage) {
    this.#request = request
    this.#back = new WayBack(`${request.key}:${request.agent ?? ''}`, storage, Date.now())
    this.#link = new Link(this.#back, {
      token: (renew) => this.#freshToken(renew),
      isNeeded: () => isNeeded(this.#state),
      onConnecting: () => this.dispatch({ is: 'connecting' }),
      onEvent: (event) => this.#received(event),
      onAway: (trouble, waits) => this.#away(trouble, waits),
      onGone: () => this.#gone(),
      onOver: (ending) => this.#over(ending),
    })
  }

  get state(): State {
    return this.#state
  }

  get micLevel(): number {
    return this.#voice?.micLevel ?? 0
  }

  get outputLevel(): number {
    return this.#voice?.outputLevel ?? 0
  }

  playedMs(itemId: string): number {
    return this.#playback.playedMs(itemId)
  }

  /** Returns the way to stop listening. */
  subscribe(listener: (state: State, before: State) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  dispatch(action: Action): void {
    const before = this.#state
    this.#state = reduce(before, action)
    if (this.#state === before) return
    if (this.#state.call !== before.call) this.#back.call(this.#state.call !== 'off')
    for (const listener of this.#listeners) listener(this.#state, before)
  }

  // What the person does

  async boot(): Promise<void> {
    const ending = await this.#fetchToken()
    if (ending !== undefined) {
      this.#hush()
      this.dispatch({ is: 'refused', ending })
      return
    }
    // A call is taken up again by a hand: no browser opens a microphone or plays sound for a page that was just loaded.
    if (this.#back.kept?.call === true && this.#state.call === 'off') this.dispatch({ is: 'paused', on: true })
    // The page or a quick hand was faster than the token; or the page before this one left a session.
    if (isNeeded(this.#state) || this.#back.kept !== undefined) this.#link.connect()
  }

  async #fetchToken(): Promise<Ending | undefined> {
    const answer = await bootstrap(this.#request)
    if (answer.is === 'failed') return answer.ending
    this.#token = { value: answer.bootstrap.token, atMs: performance.now() }
    this.dispatch({ is: 'boot', boot: answer.bootstrap })
    return undefined
  }

  async #freshToken(renew: boolean): Promise<TokenAnswer> {
    const stale = this.#token === undefined || performance.now() - this.#token.atMs > tokenFreshMs
    const ending = stale || renew ? await this.#fetchToken() : undefined
    if (ending !== undefined) return { is: 'failed', ending }
    return { is: 'token', token: this.#token?.value ?? '', agent: this.#state.boot?.agent.slug ?? '' }
  }

  say(text: string): void {
    const trimmed = text.trim()
    if (trimmed === '') return
    this.#write({ itemId: randomId('item_', 20), text: trimmed })
  }

  /** What was sent from a visual is a message too; `text`: as the transcript shows it. */
  submit(submit: NonNullable<Line['submit']>, text: string): void {
    this.#write({ itemId: randomId('item_', 20), text, submit })
  }

  #write(line: Pick<Line, 'itemId' | 'text' | 'submit'>): void {
    this.dispatch({ is: 'write', ...line })
    if (this.#state.phase === 'live') this.#send(line)
    else this.#connect()
  }

  #send({ itemId, text, submit }: Pick<Line, 'itemId' | 'text' | 'submit'>): void {
    if (submit === undefined) this.#link.send({ type: 'parley.say', item_id: itemId, text })
    else this.#link.send({ type: 'parley.visual.submit', item_id: itemId, ...submit })
  }

  /** Who is asked when the agent wants something of the page around. */
  actions(ask: (action: ParleyAction) => void): void {
    this.#onAction = ask
  }

  answer(callId: string, ok: boolean, result: unknown): void {
    this.#link.send({ type: 'parley.action.result', call_id: callId, ok, result })
  }

  /** Without a token there is nothing to connect with: whoever waits is served when it comes. */
  #connect(): void {
    if (this.#state.boot !== undefined) this.#link.connect()
  }

  /** Call inside the click: the audio context is made and resumed before anything is awaited. */
  startCall(ready: Promise<void> = Promise.resolve()): void {
    if (this.#state.call !== 'off') return
    const voice = new Voice({
      onBlock: (block) => this.#block(block),
      onPlayout: (event) => this.#played(event),
      onMicLost: () => this.dispatch({ is: 'mic', problem: 'lost' }),
    })
    this.#voice = voice
    this.#playback = this.#newPlayback()
    this.dispatch({ is: 'call', at: 'starting', nowMs: Date.now() })
    Promise.all([voice.start(), ready]).then(
      () => {
        if (this.#voice !== voice) return
        if (this.#state.phase === 'live') void this.#talk()
        else this.#connect()
      },
      (error: unknown) => {
        if (this.#voice !== voice) return
        this.#hush()
        this.dispatch({ is: 'call', at: 'off', nowMs: Date.now() })
        this.dispatch({ is: 'mic', problem: error instanceof MicError ? error.problem : 'failed' })
      },
    )
  }

  /** Over WebRTC where that can be had: it takes loss and jitter better than a socket does. */
  async #talk(): Promise<void> {
    const voice = this.#voice
    if (await this.#moves(voice)) return
    if (voice === undefined || this.#voice !== voice || this.#state.phase !== 'live') return
    this.#link.send({ type: 'parley.voice', on: true })
    this.dispatch({ is: 'call', at: 'on', nowMs: Date.now() })
  }

  /** True: the session is told anew over the call's own connection, and the talk begins there. */
  async #moves(voice: Voice | undefined): Promise<boolean> {
    if (this.#link.transport === 'webrtc' || this.#noRtc || !('RTCPeerConnection' in window)) return false
    const sound = voice?.sound
    if (sound === undefined) return false
    const rtc = await import('./rtc.ts').catch(() => undefined)
    const moved = rtc !== undefined && this.#voice === voice && (await this.#link.move(rtc.openCall(sound)))
    // Once is enough to know: the next try would keep somebody waiting in the middle of a talk.
    this.#noRtc = !moved
    return moved
  }

  get transport(): string | undefined {
    return this.#link.transport
  }

  /** Reports what was heard, then ends the session; the last turns still come in. */
  async endCall(): Promise<void> {
    await this.#flush()
    this.#hush()
    this.dispatch({ is: 'closed', ending: { reason: 'client_ended', retry: 'never' }, nowMs: Date.now() })
    this.#link.leave()
  }

  /** A call that the page before this one left is not wanted any more: the conversation goes on in writing. */
  dismissCall(): void {
    this.#back.call(false)
    this.dispatch({ is: 'paused', on: false })
  }

  mute(on: boolean): void {
    this.#voice?.mute(on)
    this.dispatch({ is: 'mute', on })
  }

  /** After an end or a refusal; inside the click, because it may start a call. */
  retry(): void {
    const { phase, ended, session } = this.#state
    const elsewhere = ended?.ending.code === 'replaced'
    const ready = this.#link.afresh(elsewhere ? session : undefined)
    if (phase === 'refused') void this.boot()
    else if (ended?.call === true) this.startCall(ready)
    else {
      this.dispatch({ is: 'resend' })
      if (elsewhere || waiting(this.#state).length > 0) void ready.then(() => this.#connect())
    }
  }

  /** The page is shown again or the network is back: some browsers have put the sound to sleep meanwhile. */
  wake(): void {
    this.#voice?.wake()
    this.#link.hurry()
  }

  // The line

  #away(trouble: Ending, waits: boolean): void {
    if (this.#state.phase !== 'reconnecting') {
      clearTimeout(this.#overdue)
      this.#overdue = setTimeout(() => this.dispatch({ is: 'overdue' }), overdueMs)
    }
    this.#playback.cut()
    this.#voice?.command({ do: 'flush' })
    this.dispatch({ is: 'reconnecting', trouble, waits })
  }

  /** A call ends with its session: a new one would greet somebody in the middle of a sentence. */
  #gone(): void {
    if (this.#state.call === 'off') this.dispatch({ is: 'gone' })
    else this.#over({ reason: 'lost', code: 'gone', retry: 'never' })
  }

  #over(ending: Ending): void {
    clearTimeout(this.#overdue)
    this.#hush()
    if (this.#state.phase !== 'idle') this.dispatch({ is: 'closed', ending, nowMs: Date.now() })
  }

  #received(event: WireEvent): void {
    const before = this.#state
    if (event.type === 'audio') this.#audio(event.itemId, event.pcm)
    else if (event.type === 'audioDone') this.#voice?.command({ do: 'end', itemId: event.itemId })
    else if (event.type === 'parley.flush') this.#flushItem(event.item_id)
    else if (event.type === 'parley.hold') this.#voice?.command(event)
    else if (event.type === 'speech' && event.phase === 'start') void this.#flush()
    else if (event.type === 'response' && event.phase === 'stop')
      for (const itemId of this.#playback.open) this.#voice?.command({ do: 'end', itemId })
    else if (event.type === 'parley.action') this.#onAction(event)
    this.dispatch({ is: 'wire', event })
    if (event.type === 'parley.session') this.#opened(event, before)
  }

  #opened({ session_id, resumed }: ParleySession, before: State): void {
    clearTimeout(this.#overdue)
    if (before.session !== session_id) this.#finals = []
    for (const each of this.#finals) this.#link.send(each)
    if (this.#state.call !== 'off' && this.#voice !== undefined) void this.#talk()
    else if (this.#state.paused) this.#link.send({ type: 'parley.voice', on: false })
    for (const line of waiting(this.#state)) this.#send(line)
    // Stored, but the session that should have answered is gone: the id keeps it from being asked twice.
    const line = resumed === undefined ? unanswered(this.#state) : undefined
    if (line !== undefined) this.#send(line)
  }

  // Sound

  #newPlayback(): Playback {
    return new Playback((event) => {
      if (event.final) this.#finals = [...this.#finals.slice(1 - keptFinals), event]
      this.#link.send(event)
    })
  }

  #audio(itemId: string, pcm: Uint8Array): void {
    if (this.#voice !== undefined && this.#playback.accept(itemId)) this.#voice.push(itemId, pcm)
  }

  #played(event: PlayoutEvent): void {
    this.#playback.event(event, { nowMs: performance.now(), latencyMs: this.#voice?.latencyMs ?? 0 })
    if (event.is === 'flushed') this.#onFlushed()
    if (event.is === 'started') this.dispatch({ is: 'playing', on: true })
    else if (event.is === 'quiet') this.dispatch({ is: 'playing', on: false })
  }

  #flushItem(itemId: string): void {
    this.#playback.asked(itemId)
    if (this.#playback.open.includes(itemId)) void this.#flush()
  }

  async #flush(): Promise<void> {
    const playback = this.#playback
    if (this.#voice === undefined || playback.open.length === 0) return
    playback.cut()
    this.#voice.command({ do: 'flush' })
    await new Promise<void>((resolve) => {
      this.#onFlushed = resolve
      setTimeout(resolve, flushMs)
    })
    playback.giveUp(this.#voice?.latencyMs ?? 0)
  }

  /** 40 ms make one frame: half the frames, and no delay that a person notices. */
  #block({ pcm }: Block): void {
    if (this.#state.phase !== 'live' || this.#state.call !== 'on') return
    const block = new Uint8Array(pcm)
    if (this.#half === undefined) {
      this.#half = block
      return
    }
    this.#link.audio(new Uint8Array([...this.#half, ...block]))
    this.#half = undefined
  }

  #hush(): void {
    this.#voice?.close()
    this.#voice = undefined
    this.#half = undefined
  }
}
