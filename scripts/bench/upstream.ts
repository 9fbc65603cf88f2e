// A provider that costs next to nothing: the GA wire in one process, turns paced by one timer for all connections.

import { type WebSocket, WebSocketServer } from 'ws'
import { answerBench, measured, readUsage, type UpstreamReport, type Window } from './calls.ts'
import { Samples } from './samples.ts'
import { Sequence } from './sequence.ts'
import { beginTurn, deltaMs, deltasPerTurn, endTurn, type Speaker, speak, turnMs } from './turn.ts'
import { nowUs, readAppend } from './wire.ts'

/** Spreads the turns evenly over time, however many connections there are. */
const goldenRatio = 0.618_033_988_749_895
const tickMs = 2

let window: Window = { fromUs: 0, toUs: 0 }
let messages = 0
let speaking = true
let connectionCount = 0
const up = new Samples()
const errors: string[] = []
const connections = new Set<Connection>()

class Connection implements Speaker {
  readonly connection = connectionCount++
  readonly #socket: WebSocket
  readonly #received = new Sequence()
  #who: number | undefined
  #sent = 0
  #turn = 0
  /** Deltas of the running turn that were sent; undefined while listening. */
  #spoken: number | undefined
  #nextAtUs: number

  constructor(socket: WebSocket) {
    this.#socket = socket
    this.#nextAtUs = nowUs() + ((this.connection * goldenRatio) % 1) * turnMs * 1000
    socket.on('message', (frame: Buffer) => this.#message(frame))
    socket.on('error', (error) => errors.push(`provider: ${error.message}`))
    socket.on('close', () => connections.delete(this))
    this.#session('session.created')
  }

  number(): number {
    return this.#sent++
  }

  send(frame: string): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(frame)
  }

  /** Not numbered: gateways answer for the session themselves. */
  #session(type: string): void {
    const pcm = { type: 'audio/pcm', rate: 24_000 }
    const session = {
      type: 'realtime',
      object: 'realtime.session',
      id: `sess_b${this.connection}`,
      model: 'gpt-realtime',
      output_modalities: ['audio'],
      instructions: '',
      tools: [],
      tool_choice: 'auto',
      audio: {
        input: { format: pcm, turn_detection: { type: 'server_vad' } },
        output: { format: pcm, voice: 'marin' },
      },
    }
    this.send(JSON.stringify({ type, event_id: `event_s${this.connection}`, session }))
  }

  #message(frame: Buffer): void {
    const stamp = readAppend(frame)
    const atUs = nowUs()
    if (atUs >= window.fromUs && atUs < window.toUs) messages++
    if (stamp === undefined) {
      this.#event(frame)
      return
    }
    this.#who ??= stamp.who
    if (this.#who !== stamp.who) errors.push(`a frame of session ${stamp.who} came to session ${this.#who}`)
    this.#received.take(stamp.seq)
    if (stamp.atUs >= window.fromUs && stamp.atUs < window.toUs) up.add(atUs - stamp.atUs)
  }

  #event(frame: Buffer): void {
    const type = /"type":"([a-z_.]+)"/.exec(frame.toString('latin1', 0, 256))?.[1]
    if (type === 'session.update') this.#session('session.updated')
    // Turns go by the bench's own time: who asks for an answer gets the next one.
    else if (type !== 'response.create') errors.push(`the provider did not expect ${type ?? 'this frame'}`)
  }

  tick(atUs: number): void {
    if (atUs < this.#nextAtUs) return
    if (this.#spoken === undefined) {
      if (!speaking) return
      beginTurn(this, this.#turn)
      this.#spoken = 0
    }
    speak(this, this.#turn, this.#spoken++)
    this.#nextAtUs += deltaMs * 1000
    if (this.#spoken < deltasPerTurn && speaking) return
    endTurn(this, this.#turn++)
    this.#nextAtUs += deltasPerTurn * deltaMs * 1000
    this.#spoken = undefined
  }

  report(): UpstreamReport['connections'][number] {
    const { doubled, reordered } = this.#received.faults(0)
    const received = this.#received.taken
    return { connection: this.connection, who: this.#who ?? -1, sent: this.#sent, received, doubled, reordered }
  }
}

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  perMessageDeflate: false,
  skipUTF8Validation: true,
  clientTracking: false,
})
server.on('connection', (socket) => connections.add(new Connection(socket)))

setInterval(() => {
  const atUs = nowUs()
  for (const connection of connections) connection.tick(atUs)
}, tickMs)

server.on('listening', () => {
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  answerBench(
    { url: `ws://127.0.0.1:${port}/v1/realtime?model=gpt-realtime`, keys: [] },
    {
      usage: readUsage,
      begin() {
        speaking = true
        connections.clear()
        errors.length = 0
      },
      window(given) {
        window = measured.parse(given)
        messages = 0
        up.clear()
      },
      hush() {
        speaking = false
      },
      report: (): UpstreamReport => ({
        up: up.percentiles(),
        messages,
        connections: [...connections].map((each) => each.report()),
        errors: errors.slice(0, 20),
      }),
    },
  )
})
