// One person at one panel: joins token, socket, sound and state, and performs what the person asks for.

import type { ProblemBody } from '../gateway/protocol/codes.ts'
import type { ParleyEnd } from '../gateway/protocol/realtime.ts'
import { type BootRequest, bootstrap, randomId } from './bootstrap.ts'
import type { Block } from './capture.ts'
import { Connection } from './connection.ts'
import type { Line } from './lines.ts'
import { Playback } from './playback.ts'
import type { PlayoutEvent } from './playout.ts'
import { type Ending, endingOf, pauseMs } from './retry.ts'
import { type Action, initial, isNeeded, reduce, type State, waiting } from './state.ts'
import { MicError, Voice } from './voice.ts'
import type { WireEvent } from './wire.ts'

/** Tokens live 15 minutes; one older than this is not tried any more. */
const tokenFreshMs = 10 * 60_000
/** The player answers a flush within a few milliseconds, or never (a suspended page). */
const flushMs = 150
/** A session that lived this long was no failed try. */
const provenMs = 10_000

export class Visit {
  readonly #request: BootRequest
  readonly #listeners = new Set<(state: State, before: State) => void>()
  #state: State = initial
  #token: { readonly value: string; readonly atMs: number } | undefined
  #connection: Connection | undefined
  #voice: Voice | undefined
  #playback = this.#newPlayback()
  #said: { end?: ParleyEnd; refused?: ProblemBody } = {}
  #tries = 0
  #openedAtMs = Number.POSITIVE_INFINITY
  /** The attempt to open a socket that counts; an older one that wakes up finds another here. */
  #opening: symbol | undefined
  #onFlushed: () => void = () => undefined
  #pause: ReturnType<typeof setTimeout> | undefined
  #half: Uint8Array | undefined

  constructor(request: BootRequest) {
    this.#request = request
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
    if (this.#state !== before) for (const listener of this.#listeners) listener(this.#state, before)
  }

  // What the person does

  async boot(): Promise<boolean> {
    const answer = await bootstrap(this.#request)
    if (answer.is === 'booted') {
      this.#token = { value: answer.bootstrap.token, atMs: performance.now() }
      this.dispatch({ is: 'boot', boot: answer.bootstrap })
      // The page or a quick hand was faster than the token.
      if (isNeeded(this.#state)) this.#connect()
      return true
    }
    if (this.#state.boot === undefined) {
      this.#hush()
      this.dispatch({ is: 'refused', ending: answer.ending })
    } else this.#comeBack(answer.ending)
    return false
  }

  say(text: string): void {
    const trimmed = text.trim()
    if (trimmed === '') return
    const itemId = randomId('item_', 20)
    this.dispatch({ is: 'write', itemId, text: trimmed })
    if (this.#state.phase === 'live') this.#sendText({ itemId, text: trimmed })
    else this.#connect()
  }

  #sendText({ itemId, text }: Pick<Line, 'itemId' | 'text'>): void {
    this.#connection?.send({
      type: 'conversation.item.create',
      item: { id: itemId, type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
    })
    this.#connection?.send({ type: 'response.create' })
  }

  /** Call inside the click: the audio context is made and resumed before anything is awaited. */
  startCall(): void {
    if (this.#state.call !== 'off') return
    const voice = new Voice({
      onBlock: (block) => this.#block(block),
      onPlayout: (event) => this.#played(event),
      onMicLost: () => this.dispatch({ is: 'mic', problem: 'lost' }),
    })
    this.#voice = voice
    this.#playback = this.#newPlayback()
    this.dispatch({ is: 'call', at: 'starting', nowMs: Date.now() })
    voice.start().then(
      () => {
        if (this.#voice !== voice) return
        if (this.#state.phase === 'live') this.#talk()
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

  #talk(): void {
    this.#connection?.send({ type: 'parley.voice', on: true })
    this.dispatch({ is: 'call', at: 'on', nowMs: Date.now() })
  }

  /** Reports what was heard, then ends the session; the last turns still come in. */
  async endCall(): Promise<void> {
    clearTimeout(this.#pause)
    this.#opening = undefined
    await this.#flush()
    const connection = this.#connection
    this.#connection = undefined
    this.#hush()
    this.dispatch({ is: 'closed', ending: { reason: 'client_ended', retry: 'never' }, nowMs: Date.now() })
    connection?.bye()
  }

  mute(on: boolean): void {
    this.#voice?.mute(on)
    this.dispatch({ is: 'mute', on })
  }

  /** After an end or a refusal; inside the click, because it may start a call. */
  retry(): void {
    const { phase, ended } = this.#state
    this.#tries = 0
    if (phase === 'refused') void this.boot()
    else if (ended?.call === true) this.startCall()
    else {
      this.dispatch({ is: 'resend' })
      if (waiting(this.#state).length > 0) this.#connect()
    }
  }

  /** The page is shown again: some browsers have put the sound to sleep meanwhile. */
  wake(): void {
    this.#voice?.wake()
  }

  // The socket

  #connect(): void {
    if (this.#connection !== undefined || this.#opening !== undefined || this.#state.boot === undefined) return
    clearTimeout(this.#pause)
    this.#openedAtMs = Number.POSITIVE_INFINITY
    this.dispatch({ is: 'connecting' })
    void this.#open(this.#state.boot.agent.slug)
  }

  async #open(agent: string): Promise<void> {
    const attempt = Symbol('attempt')
    this.#opening = attempt
    const stale = this.#token === undefined || performance.now() - this.#token.atMs > tokenFreshMs
    const booted = !stale || (await this.boot())
    if (this.#opening !== attempt) return
    this.#opening = undefined
    if (!booted || this.#token === undefined) return
    this.#said = {}
    const url = new URL('/v1/realtime', location.href)
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    url.searchParams.set('agent', agent)
    const connection: Connection = new Connection({
      url: url.href,
      token: this.#token.value,
      onEvent: (event) => this.#received(connection, event),
      onClose: (close) => {
        if (this.#connection !== connection) return
        this.#connection = undefined
        this.#comeBack(endingOf(close, this.#said))
      },
    })
    this.#connection = connection
  }

  #comeBack(ending: Ending): void {
    if (performance.now() - this.#openedAtMs > provenMs) this.#tries = 0
    if (ending.retry === 'new_token') this.#token = undefined
    const pause = isNeeded(this.#state) ? pauseMs(ending, this.#tries, Math.random()) : undefined
    // A second fresh token will be refused for the same reason.
    if (pause === undefined || (ending.retry === 'new_token' && this.#tries > 0)) {
      this.#hush()
      this.dispatch({ is: 'closed', ending, nowMs: Date.now() })
      return
    }
    this.#tries++
    this.#playback.cut()
    this.#voice?.flush()
    this.dispatch({ is: 'reconnecting', trouble: ending })
    this.#pause = setTimeout(() => this.#connect(), pause)
  }

  #received(connection: Connection, event: WireEvent): void {
    const current = this.#connection === connection
    // A session that was left still tells how its last turns ended.
    if (!current && event.type !== 'parley.turn') return
    if (event.type === 'audio') this.#audio(event.itemId, event.pcm)
    else if (event.type === 'audioDone') this.#voice?.end(event.itemId)
    else if (event.type === 'parley.flush') this.#flushItem(event.item_id)
    else if (event.type === 'speech' && event.phase === 'start') void this.#flush()
    else if (event.type === 'response' && event.phase === 'stop')
      for (const itemId of this.#playback.open) this.#voice?.end(itemId)
    else if (event.type === 'parley.end') this.#said.end = event
    else if (event.type === 'refused') this.#said.refused = event.problem
    this.dispatch({ is: 'wire', event })
    if (event.type === 'parley.session') this.#opened()
  }

  #opened(): void {
    this.#openedAtMs = performance.now()
    if (this.#state.call !== 'off' && this.#voice !== undefined) this.#talk()
    for (const line of waiting(this.#state)) this.#sendText(line)
  }

  // Sound

  #newPlayback(): Playback {
    return new Playback((event) => this.#connection?.send(event))
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
    this.#voice.flush()
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
    const frame = new Uint8Array(this.#half.length + block.length)
    frame.set(this.#half)
    frame.set(block, this.#half.length)
    this.#half = undefined
    this.#connection?.audio(frame)
  }

  #hush(): void {
    this.#voice?.close()
    this.#voice = undefined
    this.#half = undefined
  }
}
