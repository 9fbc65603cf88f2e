// The people: N clients that each send 20 ms of audio every 20 ms, whatever comes back, and watch what comes back.

import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { answerBench, type LoadReport, measured, opening, readUsage, type Window } from './calls.ts'
import { Samples } from './samples.ts'
import { Sequence } from './sequence.ts'
import { appendFrame, nowUs, readServerEvent } from './wire.ts'

const frameUs = 20_000
const openTimeoutMs = 60_000
/** Beyond it the next client waits: a connect is timed beside a few others, not in a queue of all. */
const opensAtOnce = 4
/** A gateway lets one address have only so many sockets: sessions beyond come from another loopback address. */
const socketsPerAddress = 200
/** Answers of a target to the client itself, not the provider's. */
const ownEvents = new Set(['session.created', 'session.updated', 'conversation.created', 'rate_limits.updated'])

let window: Window = { fromUs: 0, toUs: 0 }
let messages = 0
let sending = false
const down = new Samples()
const connect = new Samples()
const errors: string[] = []
const clients: Client[] = []

class Client {
  readonly who: number
  opening = true
  readonly #socket: WebSocket
  readonly #received = new Sequence()
  readonly #startedUs = nowUs()
  #connection: number | undefined
  #created = false
  #closing = false
  #sent = 0
  #dueUs = Number.POSITIVE_INFINITY

  constructor(who: number, url: string, key: string | undefined) {
    this.who = who
    const network = Math.floor(who / socketsPerAddress)
    this.#socket = new WebSocket(url, {
      perMessageDeflate: false,
      skipUTF8Validation: true,
      ...(key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } }),
      ...(network === 0 ? {} : { localAddress: `127.0.0.${1 + network}` }),
    })
    this.#socket.on('message', (frame: Buffer) => this.#message(frame))
    this.#socket.on('error', (error) => this.#fail(error.message))
    this.#socket.on('close', (code, reason) => {
      if (!this.#closing) this.#fail(`closed with ${code} ${reason.toString()}`)
    })
  }

  #fail(reason: string): void {
    errors.push(`session ${this.who}: ${reason}`)
    this.#dueUs = Number.POSITIVE_INFINITY
    this.opening = false
  }

  #message(frame: Buffer): void {
    const atUs = nowUs()
    const { type, event, stamp } = readServerEvent(frame)
    if (atUs >= window.fromUs && atUs < window.toUs) messages++
    if (event === undefined) {
      this.#own(type, frame, atUs)
      return
    }
    this.#connection ??= event.connection
    if (this.#connection !== event.connection) errors.push(`session ${this.who} received another session's event`)
    this.#received.take(event.n)
    if (stamp !== undefined && stamp.atUs >= window.fromUs && stamp.atUs < window.toUs) down.add(atUs - stamp.atUs)
  }

  #own(type: string, frame: Buffer, atUs: number): void {
    if (!ownEvents.has(type)) this.#fail(`got ${frame.toString('utf8', 0, 300)}`)
    if (type !== 'session.created') return
    if (this.#created) this.#fail('was created twice')
    this.#created = true
    connect.add(atUs - this.#startedUs)
    this.#dueUs = atUs + ((this.who * 7_919) % frameUs)
    this.opening = false
  }

  tick(atUs: number): void {
    while (this.#dueUs <= atUs && this.#socket.readyState === WebSocket.OPEN) {
      this.#socket.send(appendFrame(this.who, this.#sent++), { binary: false })
      this.#dueUs += frameUs
    }
  }

  close(): void {
    this.#closing = true
    this.#socket.terminate()
  }

  report(): LoadReport['clients'][number] {
    const { doubled, reordered } = this.#received.faults(0)
    const received = this.#received.taken
    return { who: this.who, connection: this.#connection ?? -1, sent: this.#sent, received, doubled, reordered }
  }
}

async function open(given: unknown): Promise<{ connect: ReturnType<Samples['percentiles']> }> {
  const { url, keys, sessions, rampPerSecond } = opening.parse(given)
  connect.clear()
  errors.length = 0
  clients.length = 0
  sending = true
  const until = nowUs() + openTimeoutMs * 1000
  for (let who = 0; who < sessions; who++) {
    while (clients.filter((client) => client.opening).length >= opensAtOnce && nowUs() < until) await sleep(1)
    clients.push(new Client(who, url, keys[who]))
    await sleep(1000 / rampPerSecond)
  }
  while (clients.some((client) => client.opening) && nowUs() < until) await sleep(1)
  for (const { who } of clients.filter((client) => client.opening))
    errors.push(`session ${who} was not created in time`)
  return { connect: connect.percentiles() }
}

/** Every timer tick of Node is one millisecond: what is due goes out together. */
setInterval(() => {
  if (!sending) return
  const atUs = nowUs()
  for (const client of clients) client.tick(atUs)
}, 1)

answerBench(
  { url: '', keys: [] },
  {
    usage: readUsage,
    open,
    window(given) {
      window = measured.parse(given)
      messages = 0
      down.clear()
    },
    hush() {
      sending = false
    },
    report: (): LoadReport => ({
      down: down.percentiles(),
      messages,
      clients: clients.map((client) => client.report()),
      errors: errors.slice(0, 20),
    }),
    close() {
      for (const client of clients.splice(0)) client.close()
    },
  },
)
