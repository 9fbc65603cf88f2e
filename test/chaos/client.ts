// A visitor of a chaos run: asks numbered questions, comes back after every loss as the wire contract says, keeps a record.

import { encodeAudio } from '../../gateway/protocol/realtime.ts'
import type { Line } from './line.ts'
import { type Frame, Link } from './link.ts'
import { Player } from './player.ts'
import type { Random } from './random.ts'
import { type Asked, type ClientRecord, type Comeback, emptyRecord } from './record.ts'
import { isWhole, questionOf } from './script.ts'
import { frames, type WireTurn } from './wire.ts'

export interface ClientOptions {
  readonly name: string
  readonly kind: ClientRecord['kind']
  readonly line: Line
  readonly ip: string
  readonly random: Random
  /** Pause between an answer and the next question. */
  readonly thinkMs: readonly [least: number, most: number]
}

const retryPausesMs = [0, 500, 1_000, 2_000, 4_000, 4_000] as const
const firstSpreadMs = 300
const tokenFreshMs = 10 * 60_000
const microphoneMs = 200
const microphone = encodeAudio('', new Uint8Array(microphoneMs * 48))
const requestMs = 5_000
/** The seed allows the demo widget on pages of the gateway's public address. */
export const customerPage = 'http://chaos.invalid'
const answerMs = 20_000
/** The 20 turns of a history hold at least this many questions. */
const historyAsked = 4

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
  #link: Link | undefined
  /** A second socket on its way while the first still works. */
  #next: Link | undefined
  #place: Omit<Place, 'seq' | 'epoch'> | undefined
  #visitor: { readonly token: string; readonly atMs: number } | undefined
  #comeback: Comeback | undefined
  /** First sockets of moves, until the gateway has closed them. */
  readonly #left = new Set<Link>()
  /** Where the session stood when its socket was lost. */
  #saved: Place | undefined
  #tries = 0
  #stopped = false
  #asking = true
  #question = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #microphone: ReturnType<typeof setInterval> | undefined
  #watch: ReturnType<typeof setInterval> | undefined
  #retryTimer: ReturnType<typeof setTimeout> | undefined
  readonly #idle: (() => void)[] = []

  constructor(options: ClientOptions) {
    this.#options = options
    this.record = emptyRecord(options.name, options.kind)
    this.#player = new Player(({ itemId, playedMs, final }) =>
      this.#link?.send({ type: 'parley.played', item_id: itemId, played_ms: playedMs, final }),
    )
  }

  get live(): boolean {
    return this.#link?.epoch !== undefined && this.record.attachments.at(-1)?.toMs === undefined
  }

  get sessionId(): string | undefined {
    return this.#place?.sessionId
  }

  start(): void {
    void this.#open(undefined)
    this.#watch = setInterval(() => this.#watchAnswer(), 1_000)
    if (this.#options.kind === 'voice')
      this.#microphone = setInterval(() => this.#link?.audio(microphone), microphoneMs)
  }

  /** No further questions; resolves when the last one was answered and stored, or rejects after `timeoutMs`. */
  async settle(timeoutMs: number): Promise<boolean> {
    this.#asking = false
    clearTimeout(this.#timer)
    if (this.#isIdle()) return true
    return new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs)
      this.#idle.push(() => {
        clearTimeout(timer)
        resolve(true)
      })
    })
  }

  /** Says good-bye; resolves when the gateway closed the socket or after 3 s. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#link?.send({ type: 'parley.bye' })
    const untilMs = performance.now() + 3_000
    while (this.#link !== undefined && performance.now() < untilMs) await pause(20)
    this.abandon()
  }

  /** Goes without a word. */
  abandon(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
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

  /** No loss is waiting to be made good. */
  get isBack(): boolean {
    return this.#comeback === undefined || this.#comeback.backAtMs !== undefined
  }

  /** The network is back, as a browser's `online` event tells. */
  online(): void {
    if (this.#comeback !== undefined && this.#comeback.backAtMs === undefined)
      this.#comeback.possibleAtMs = performance.now()
    if (this.#link === undefined && !this.#stopped) this.#retry(0)
  }

  // The socket

  async #open(resume: Place | undefined): Promise<void> {
    const token = await this.#token()
    if (this.#stopped || this.#link !== undefined) return
    if (token === undefined) return this.#retry()
    this.#link = this.#dial(token, resume)
  }

  #dial(token: string, resume: Place | undefined): Link {
    const { line, ip } = this.#options
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

  async #token(): Promise<string | undefined> {
    if (this.#visitor !== undefined && performance.now() - this.#visitor.atMs < tokenFreshMs) return this.#visitor.token
    const { line, ip, name } = this.#options
    try {
      const response = await fetch(`${line.url}/v1/widget/bootstrap`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: line.url, 'x-forwarded-for': ip, connection: 'close' },
        body: JSON.stringify({
          key: 'pk_demo_productco',
          visitorId: `vis_chaos_${name.padStart(16, '0')}`,
          // As the panel does: the page around it is the customer's.
          hostOrigin: customerPage,
        }),
        signal: AbortSignal.timeout(requestMs),
      })
      const body: unknown = await response.json()
      if (!response.ok || typeof body !== 'object' || body === null || !('token' in body)) return undefined
      this.#visitor = { token: String(body.token), atMs: performance.now() }
      return this.#visitor.token
    } catch {
      return undefined
    }
  }

  get #resume(): Place | undefined {
    const link = this.#link
    if (this.#place === undefined || link?.epoch === undefined) return this.#saved
    return { ...this.#place, epoch: link.epoch, seq: link.seq }
  }

  #closed(link: Link, code: number): void {
    const now = performance.now()
    this.record.closes.push(code)
    this.#left.delete(link)
    if (link === this.#next) {
      this.#next = undefined
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
    this.#lost({ moved: false })
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
    const { random } = this.#options
    const spread = this.#tries === 0 ? random.next() * firstSpreadMs : 0
    const base = retryPausesMs[Math.min(this.#tries, retryPausesMs.length - 1)] ?? 0
    this.#tries++
    this.#retryTimer = setTimeout(
      () => void this.#open(this.#saved),
      inMs ?? base * (0.75 + random.next() / 2) + spread,
    )
  }

  #goingAway(inMs: number): void {
    setTimeout(async () => {
      const token = await this.#token()
      const resume = this.#resume
      if (this.#stopped || this.#link === undefined || this.#next !== undefined) return
      if (token === undefined || resume === undefined) return
      this.#lost({ moved: true })
      this.#next = this.#dial(token, resume)
    }, inMs)
  }

  // Frames

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
        this.record.ends.push({ sessionId: this.sessionId ?? '', reason: frames.end.parse(frame).reason })
        return
      case 'parley.flush':
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
        if (code === 'unauthenticated') this.#visitor = undefined
        if (code === 'gone') this.#saved = undefined
        if (link.epoch !== undefined) this.record.breaches.push(`${this.record.name}: error ${code}: ${message}`)
        return
      }
    }
  }

  #session(link: Link, session: ReturnType<typeof frames.session.parse>): void {
    const now = performance.now()
    const { session_id: sessionId, resumed } = session
    const before = this.#place?.sessionId
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
    this.#tries = 0
    this.#place = { sessionId, token: session.resume.token }
    this.record.attachments.push({ sessionId, fromMs: now, heardMs: now, toMs: undefined, mutedMs: undefined })
    const comeback = this.#comeback
    if (comeback !== undefined && comeback.backAtMs === undefined) {
      comeback.backAtMs = now
      comeback.became = resumed === undefined || sessionId !== before ? 'new' : resumed.gap ? 'gap' : 'resumed'
    }
    if (resumed?.gap === true) this.#forget(sessionId, session.history)
    for (const turn of session.history) this.#turn(turn)
    if (before !== undefined && sessionId !== before) this.#checkHistory(session.history)
    if (sessionId !== before) this.#giveUp('session over')
    if (this.#options.kind === 'voice') link.send({ type: 'parley.voice', on: true })
    this.#resend(session.history)
    if (this.record.asked.length === 0 || this.#waitingForNothing()) this.#askLater()
  }

  /** Beyond the window a client still sees what was said. */
  #checkHistory(history: readonly WireTurn[]): void {
    const known = new Set(history.map((turn) => turn.itemId))
    const missing = this.record.asked.filter((asked) => asked.committedAtMs !== undefined).slice(-historyAsked)
    for (const { tag, itemId } of missing)
      if (!known.has(itemId))
        this.record.breaches.push(`${this.record.name}: the history of the next session lacks ${tag}`)
  }

  /** The gateway closes the old one itself, with 1012; what it still says is the new one's to say. */
  #leave(old: Link): void {
    this.#left.add(old)
    setTimeout(() => {
      if (this.#left.delete(old)) this.record.breaches.push(`${this.record.name}: the old socket was not closed`)
      old.drop()
    }, 5_000)
  }

  /** After a gap the history is the truth: what stands here beyond it never became part of the conversation. */
  #forget(sessionId: string, history: readonly WireTurn[]): void {
    const known = new Set(history.map((turn) => turn.itemId))
    for (const item of this.record.items.values())
      if (item.sessionId === sessionId && !known.has(item.itemId)) this.record.items.delete(item.itemId)
  }

  #turn(turn: WireTurn): void {
    const item = this.record.items.get(turn.itemId)
    const { itemId, sessionId, role, text, state, seq } = turn
    if (item === undefined) this.record.items.set(itemId, { itemId, sessionId, role, text, state, seq })
    else Object.assign(item, { role, text, state, seq })
    if (role === 'agent' && state !== 'partial') this.#progress()
  }

  #item(itemId: string) {
    const found = this.record.items.get(itemId)
    if (found !== undefined) return found
    const item = { itemId, sessionId: this.sessionId ?? '', role: 'agent', text: '', state: 'partial', seq: undefined }
    this.record.items.set(itemId, item)
    return item
  }

  #said({ item_id, delta }: { item_id: string; delta: string }): void {
    this.#item(item_id).text += delta
    this.#firstFrame()
    this.#progress()
  }

  #saidAll({ item_id, text, transcript }: ReturnType<typeof frames.textDone.parse>): void {
    this.#item(item_id).text = text ?? transcript ?? ''
    this.#progress()
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
      const asked = this.record.asked.find((each) => each.itemId === itemId)
      if (asked !== undefined) asked.committedAtMs ??= performance.now()
    }
    this.#progress()
  }

  // Questions

  #waitingForNothing(): boolean {
    const last = this.record.asked.at(-1)
    return last?.answeredAtMs !== undefined || last?.givenUp !== undefined
  }

  #isIdle(): boolean {
    const last = this.record.asked.at(-1)
    return last === undefined || (this.#waitingForNothing() && last.committedAtMs !== undefined)
  }

  /** The answer of an ended session is not given in the next one; a question that was not stored is asked there again. */
  #giveUp(why: NonNullable<Asked['givenUp']>): void {
    const last = this.record.asked.at(-1)
    if (last === undefined || last.answeredAtMs !== undefined) return
    if (last.committedAtMs !== undefined || why === 'no answer') last.givenUp = why
  }

  #progressAtMs = 0

  #progress(): void {
    this.#progressAtMs = performance.now()
    const last = this.record.asked.at(-1)
    if (last === undefined) return
    if (last.answeredAtMs === undefined && this.#isAnswered(last.tag)) {
      last.answeredAtMs = performance.now()
      this.#askLater()
    }
    if (!this.#asking && this.#isIdle()) for (const done of this.#idle.splice(0)) done()
  }

  #isAnswered(tag: string): boolean {
    return [...this.record.items.values()].some(({ role, text }) => role === 'agent' && isWhole(text, tag))
  }

  #askLater(): void {
    if (!this.#asking || this.#stopped) return
    clearTimeout(this.#timer)
    const { random, thinkMs } = this.#options
    this.#timer = setTimeout(() => this.#ask(), random.between(...thinkMs))
  }

  /** An agent that says nothing for this long while the connection is good will say nothing any more. */
  #watchAnswer(): void {
    const last = this.record.asked.at(-1)
    const since = Math.max(last?.askedAtMs ?? 0, this.#progressAtMs, this.record.attachments.at(-1)?.fromMs ?? 0)
    if (last === undefined || !this.live || this.#waitingForNothing() || performance.now() - since < answerMs) return
    this.#giveUp('no answer')
    this.#askLater()
    if (!this.#asking) for (const done of this.#idle.splice(0)) done()
  }

  #ask(): void {
    // Without a session there is nobody to ask: the next one begins with a question.
    if (!this.#asking || this.#link?.epoch === undefined || this.sessionId === undefined) return
    if (this.record.asked.length > 0 && !this.#waitingForNothing()) return
    const { name } = this.#options
    const tag = `${name}q${++this.#question}`
    const itemId = `item_${tag}_${this.#options.random.between(100_000, 999_999)}`
    const asked: Asked = {
      tag,
      itemId,
      text: questionOf(tag),
      askedAtMs: performance.now(),
      committedAtMs: undefined,
      answeredAtMs: undefined,
      sessionId: this.sessionId,
      givenUp: undefined,
    }
    this.record.asked.push(asked)
    this.#link.send({ type: 'parley.say', item_id: itemId, text: asked.text })
  }

  /** What was not committed is said again; what the history shows was. */
  #resend(history: readonly WireTurn[]): void {
    for (const asked of this.record.asked) {
      if (asked.committedAtMs !== undefined) continue
      if (history.some((turn) => turn.itemId === asked.itemId)) {
        asked.committedAtMs = performance.now()
        continue
      }
      asked.sessionId = this.sessionId ?? ''
      this.#link?.send({ type: 'parley.say', item_id: asked.itemId, text: asked.text })
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
