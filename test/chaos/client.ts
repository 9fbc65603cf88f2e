// A visitor of a chaos run: asks numbered questions, comes back after every loss as the wire contract says, keeps a record.

import { encodeAudio } from '../../gateway/protocol/realtime.ts'
import { Backoff } from './backoff.ts'
import type { Line } from './line.ts'
import { type Frame, Link } from './link.ts'
import { Player } from './player.ts'
import { Questions } from './questions.ts'
import type { Random } from './random.ts'
import { type ClientRecord, type Comeback, emptyRecord, isWindowOver } from './record.ts'
import { View } from './view.ts'
import { VisitorToken } from './visitor-token.ts'
import { frames, type WireTurn } from './wire.ts'

export interface ClientOptions {
  readonly name: string
  readonly kind: ClientRecord['kind']
  readonly line: Line
  readonly ip: string
  readonly random: Random
  /** Pause between an answer and the next question. */
  readonly thinkMs: readonly [least: number, most: number]
  readonly patienceMs: number
  /** For the trace of a run. */
  readonly note: (what: string) => void
}

const microphoneMs = 200
/** A move that met a gateway which stops as well is tried again. */
const againMs = 500
const microphone = encodeAudio('', new Uint8Array(microphoneMs * 48))
/** Sound that stopped for so long has no end. */
const endlessMs = 20_000

interface Place {
  readonly sessionId: string
  readonly token: string
  readonly epoch: number
  readonly seq: number
}

export class Client {
  readonly record: ClientRecord
  readonly #options: ClientOptions
  readonly #player: Player
  readonly #questions: Questions
  readonly #view: View
  readonly #token: VisitorToken
  #link: Link | undefined
  /** A second socket on its way while the first still works. */
  #next: Link | undefined
  #place: Omit<Place, 'seq' | 'epoch'> | undefined
  #comeback: Comeback | undefined
  /** First sockets of moves, until the gateway has closed them. */
  readonly #left = new Set<Link>()
  /** Where the session stood when its socket was lost. */
  #saved: Place | undefined
  readonly #backoff: Backoff
  #stopped = false
  #renewing = false
  #microphone: ReturnType<typeof setInterval> | undefined
  #watch: ReturnType<typeof setInterval> | undefined
  #retryTimer: ReturnType<typeof setTimeout> | undefined

  constructor(options: ClientOptions) {
    this.#options = options
    this.record = emptyRecord(options.name, options.kind)
    this.#player = new Player(({ itemId, playedMs, final }) => {
      if (final) options.note(`played ${itemId} for ${playedMs} ms`)
      this.#link?.send({ type: 'parley.played', item_id: itemId, played_ms: playedMs, final })
      if (final) this.#questions.progress()
    })
    this.#backoff = new Backoff(options.random)
    this.#token = new VisitorToken(options)
    this.#view = new View(this.record, () => this.sessionId)
    this.#questions = new Questions({
      record: this.record,
      random: options.random,
      thinkMs: options.thinkMs,
      patienceMs: options.patienceMs,
      // A person does not write while the panel says that it is reconnecting.
      session: () => (this.live ? this.sessionId : undefined),
      live: () => this.live,
      playing: () => this.#player.playing,
      heard: (itemId) => options.kind === 'text' || this.#player.heard(itemId),
      say: (itemId, text) => {
        options.note(`says ${itemId}`)
        this.#link?.send({ type: 'parley.say', item_id: itemId, text })
      },
    })
  }

  get live(): boolean {
    return this.#link?.epoch !== undefined && this.record.attachments.at(-1)?.toMs === undefined
  }

  get sessionId(): string | undefined {
    return this.#place?.sessionId
  }

  start(): void {
    void this.#open(undefined)
    this.#watch = setInterval(() => this.#check(), 1_000)
    if (this.#options.kind === 'voice')
      this.#microphone = setInterval(() => this.#link?.audio(microphone), microphoneMs)
  }

  /** No further questions; true when the last one was answered, heard and stored, false after `timeoutMs`. */
  settle(timeoutMs: number): Promise<boolean> {
    return this.#questions.settle(timeoutMs)
  }

  /** Says good-bye; resolves when the gateway closed the socket or after 3 s. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#questions.stop()
    this.#link?.send({ type: 'parley.bye' })
    const untilMs = performance.now() + 3_000
    while (this.#link !== undefined && performance.now() < untilMs) await pause(20)
    this.abandon()
  }

  /** Ends this session in order; the next one begins at once. */
  renew(): void {
    this.#renewing = true
    this.#link?.send({ type: 'parley.bye' })
  }

  /** Goes without a word. */
  abandon(): void {
    this.#stopped = true
    this.#questions.stop()
    clearTimeout(this.#retryTimer)
    clearInterval(this.#microphone)
    clearInterval(this.#watch)
    this.#next?.drop()
    this.#link?.drop()
    this.#player[Symbol.dispose]()
  }

  /** The harness took the network away: for the bill, the client was there until now. */
  muted(): void {
    const attachment = this.record.attachments.at(-1)
    if (attachment !== undefined && attachment.toMs === undefined) attachment.mutedMs ??= performance.now()
  }

  /** The network is back, as a browser's `online` event tells. */
  online(): void {
    if (this.#comeback !== undefined && this.#comeback.backAtMs === undefined)
      this.#comeback.possibleAtMs = performance.now()
    if (this.#link === undefined && !this.#stopped) this.#retry(0)
  }

  #check(): void {
    this.#questions.watch()
    const { dry } = this.#player
    if (dry === undefined || !this.live || performance.now() - dry.sinceMs < endlessMs) return
    this.record.breaches.push(`${this.record.name}: the sound of ${dry.itemId} never ended`)
    this.#player.cut()
  }

  async #open(resume: Place | undefined): Promise<void> {
    const token = await this.#token.get()
    if (this.#stopped || this.#link !== undefined) return
    if (token === undefined) return this.#retry()
    this.#link = this.#dial(token, resume)
  }

  #dial(token: string, resume: Place | undefined): Link {
    const { line, ip, note } = this.#options
    note(resume === undefined ? 'dials' : `dials for ${resume.sessionId} after ${resume.epoch}/${resume.seq}`)
    const link: Link = new Link(
      {
        url: line.url,
        ip,
        token,
        resume: resume === undefined ? undefined : `${resume.sessionId}.${resume.token}.${resume.seq}`,
        onFrame: (frame) => this.#frame(link, frame),
        onAudio: (itemId, ms) => this.#audio(link, itemId, ms),
        onClosed: (code) => this.#closed(link, code),
        onBreach: (breach) => this.record.breaches.push(`${this.record.name} ${this.sessionId}: ${breach}`),
      },
      resume,
    )
    return link
  }

  get #resume(): Place | undefined {
    const link = this.#link
    if (this.#place === undefined || link?.epoch === undefined) return this.#saved
    return { ...this.#place, epoch: link.epoch, seq: link.seq }
  }

  #closed(link: Link, code: number): void {
    const now = performance.now()
    this.#options.note(`${code} ${link === this.#link ? '' : 'of another socket'}`)
    this.record.closes.push(code)
    this.#left.delete(link)
    if (link === this.#next) {
      this.#next = undefined
      if (code === 1012) this.#goingAway(againMs)
      return
    }
    if (link !== this.#link) return
    this.#saved = this.#resume
    this.#link = undefined
    const attachment = this.record.attachments.at(-1)
    if (attachment !== undefined && attachment.toMs === undefined) {
      attachment.toMs = now
      attachment.heardMs = link.heardAtMs
    }
    if (this.#stopped) return
    if (this.#next !== undefined) {
      // The old socket went before the new one was there.
      this.#link = this.#next
      this.#next = undefined
      return
    }
    // Lost, or ended by the gateway: only the former can be resumed.
    if (code === 4410 || code === 4404 || this.record.ends.at(-1)?.sessionId === this.#saved?.sessionId)
      this.#saved = undefined
    if (this.#renewing && code === 1000) this.#player.cut()
    else this.#lost({ moved: false })
    this.#renewing = false
    this.#retry()
  }

  #lost({ moved }: Pick<Comeback, 'moved'>): void {
    // Whoever never had a session has lost none.
    if (this.#place === undefined || (this.#comeback !== undefined && this.#comeback.backAtMs === undefined)) return
    const comeback: Comeback = {
      lostAtMs: performance.now(),
      sessionId: this.#place.sessionId,
      midAnswer: this.#player.playing || this.record.asked.at(-1)?.answeredAtMs === undefined,
      moved,
      possibleAtMs: undefined,
      backAtMs: undefined,
      firstFrameAtMs: undefined,
      became: undefined,
    }
    this.#comeback = comeback
    this.record.comebacks.push(comeback)
    if (!moved) this.#player.cut()
  }

  #retry(inMs?: number): void {
    clearTimeout(this.#retryTimer)
    const pauseMs = this.#backoff.nextMs()
    this.#retryTimer = setTimeout(() => void this.#open(this.#saved), inMs ?? pauseMs)
  }

  #goingAway(inMs: number): void {
    setTimeout(async () => {
      const token = await this.#token.get()
      const resume = this.#resume
      if (this.#stopped || this.#link === undefined || this.#next !== undefined) return
      if (token === undefined || resume === undefined) return
      this.#lost({ moved: true })
      this.#next = this.#dial(token, resume)
    }, inMs)
  }

  #frame(link: Link, frame: Frame): void {
    // A second socket takes over with its `parley.session`.
    if (link !== this.#link && link !== this.#next) return
    switch (frame.type) {
      case 'parley.session':
        this.#session(link, frames.session.parse(frame))
        return
      case 'parley.turn':
        this.#turn(frames.turn.parse(frame).turn)
        return
      case 'parley.committed':
        this.#committed(frames.committed.parse(frame).item_ids)
        return
      case 'parley.going_away':
        this.#goingAway(frames.goingAway.parse(frame).reconnect_in_ms)
        return
      case 'parley.end':
        this.#ended(frames.end.parse(frame).reason)
        return
      case 'parley.flush':
        this.#options.note(`flush ${frames.flush.parse(frame).item_id}`)
        this.#player.flush(frames.flush.parse(frame).item_id)
        return
      case 'response.output_text.delta':
      case 'response.output_audio_transcript.delta':
        this.#said(frames.textDelta.parse(frame))
        return
      case 'response.output_text.done':
      case 'response.output_audio_transcript.done':
        this.#saidAll(frames.textDone.parse(frame))
        return
      case 'response.output_audio.done':
        this.#player.end(frames.itemOnly.parse(frame).item_id)
        return
      case 'error': {
        const { code, message } = frames.error.parse(frame).error
        this.#options.note(`error ${code}`)
        if (code === 'unauthenticated') this.#token.forget()
        if (code === 'gone') this.#saved = undefined
        if (link.epoch !== undefined && !this.#isFair(link, code))
          this.record.breaches.push(`${this.record.name}: error ${code}: ${message}`)
        return
      }
    }
  }

  /** A refusal that must be expected: after the window, or of a gateway that just began to stop. */
  #isFair(link: Link, code: string): boolean {
    const hasSession = link === this.#link && this.live
    return !hasSession && (code === 'draining' || (code === 'gone' && isWindowOver(this.record)))
  }

  #ended(reason: string): void {
    this.#options.note(`end: ${reason}`)
    // The session goes on elsewhere.
    if (reason !== 'drain') this.record.ends.push({ sessionId: this.sessionId ?? '', reason })
  }

  #session(link: Link, session: ReturnType<typeof frames.session.parse>): void {
    const now = performance.now()
    const { session_id: sessionId, resumed } = session
    const before = this.#place?.sessionId
    const kept = resumed === undefined ? 'new' : resumed.gap ? 'gap' : 'whole'
    this.#options.note(`session ${sessionId}, epoch ${session.epoch}, ${kept}`)
    if (link === this.#next) {
      const old = this.#link
      const attachment = this.record.attachments.at(-1)
      if (attachment !== undefined) {
        attachment.toMs = now
        attachment.heardMs = old?.heardAtMs ?? now
      }
      this.#link = link
      this.#next = undefined
      if (old !== undefined) this.#leave(old)
    }
    this.#backoff.reset()
    this.#place = { sessionId, token: session.resume.token }
    this.record.attachments.push({ sessionId, fromMs: now, heardMs: now, toMs: undefined, mutedMs: undefined })
    const comeback = this.#comeback
    if (comeback !== undefined && comeback.backAtMs === undefined) {
      comeback.backAtMs = now
      comeback.became = sessionId !== before || kept === 'new' ? 'new' : kept === 'gap' ? 'gap' : 'resumed'
    }
    if (resumed?.gap === true) this.#view.forget(sessionId, session.history)
    for (const turn of session.history) this.#turn(turn)
    if (kept !== 'new') this.#player.repeatReports()
    if (this.#options.kind === 'voice') link.send({ type: 'parley.voice', on: true })
    this.#questions.session(session.history, { isNew: before !== undefined && sessionId !== before })
  }

  /** The gateway closes the old one itself, with 1012; what it still says is the new one's to say. */
  #leave(old: Link): void {
    this.#left.add(old)
    setTimeout(() => {
      if (this.#left.delete(old)) this.record.breaches.push(`${this.record.name}: the old socket was not closed`)
      old.drop()
    }, 5_000)
  }

  #turn(turn: WireTurn): void {
    this.#view.turn(turn)
    this.#options.note(`turn ${turn.itemId} ${turn.role} ${turn.state}: ${turn.text}`)
    if (turn.role === 'agent' && turn.state !== 'partial') this.#questions.progress()
  }

  #said({ item_id, delta }: { item_id: string; delta: string }): void {
    this.#view.append(item_id, delta)
    this.#firstFrame()
    this.#questions.progress()
  }

  #saidAll({ item_id, text, transcript }: ReturnType<typeof frames.textDone.parse>): void {
    this.#view.replace(item_id, text ?? transcript ?? '')
    this.#questions.progress()
  }

  #audio(link: Link, itemId: string, ms: number): void {
    if (link !== this.#link) return
    this.#player.push(itemId, ms)
    this.#firstFrame()
  }

  #firstFrame(): void {
    if (this.#comeback?.backAtMs !== undefined) this.#comeback.firstFrameAtMs ??= performance.now()
  }

  #committed(itemIds: readonly string[]): void {
    for (const itemId of itemIds) {
      this.record.committed.add(itemId)
      this.#questions.committed(itemId)
    }
    this.#questions.progress()
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
