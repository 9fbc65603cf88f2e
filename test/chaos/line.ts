// One client's way to the gateways, with a network that can be made bad: a TCP proxy with a listener of its own.

import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Random } from './random.ts'

export interface Toxics {
  /** Each chunk waits this long, plus up to `jitterMs`; order is kept. */
  readonly latencyMs?: number
  readonly jitterMs?: number
  /** Every chunk goes on in pieces of 1 to so many bytes. */
  readonly sliceMost?: number
  readonly bytesPerSecond?: number
}

/**
 * How the network is gone. `reset`: connections end with RST, new ones are refused. `black-hole`: bytes vanish both ways
 * without a sign, and the connection stays dead after the network is back. `half-open-up`, `half-open-down`: so one way
 * only. In the last three, new connections get through when the network is back.
 */
export type CutKind = 'reset' | 'black-hole' | 'half-open-up' | 'half-open-down'
export const cutKinds = ['reset', 'black-hole', 'half-open-up', 'half-open-down'] as const satisfies readonly CutKind[]

/** Where a new connection goes; undefined: nowhere now. */
export type Route = () => { readonly port: number; readonly onOpen?: (end: () => void) => () => void } | undefined

/** Beyond this much under way the sender waits. */
const flowBytes = 64 * 1024

/** One direction of a connection. */
class Flow {
  readonly #from: Socket
  readonly #to: Socket
  readonly #toxics: () => Toxics
  readonly #random: Random
  readonly #queue: { readonly chunk: Buffer; readonly atMs: number; readonly sliceMost: number | undefined }[] = []
  #queuedBytes = 0
  #lastAtMs = 0
  #ended = false
  vanishing = false

  constructor(from: Socket, to: Socket, options: { readonly toxics: () => Toxics; readonly random: Random }) {
    this.#from = from
    this.#to = to
    this.#toxics = options.toxics
    this.#random = options.random
    from.on('data', (chunk) => this.#take(chunk))
  }

  #take(chunk: Buffer): void {
    if (this.vanishing) return
    const { latencyMs = 0, jitterMs = 0, sliceMost, bytesPerSecond } = this.#toxics()
    const plain = latencyMs === 0 && jitterMs === 0 && sliceMost === undefined && bytesPerSecond === undefined
    if (plain && this.#queue.length === 0) {
      if (this.#to.write(chunk)) return
      this.#from.pause()
      onceAny(this.#to, ['drain', 'close'], () => this.#from.resume())
      return
    }
    const arrivesAtMs = performance.now() + latencyMs + this.#random.next() * jitterMs
    const spentMs = bytesPerSecond === undefined ? 0 : (chunk.length / bytesPerSecond) * 1000
    this.#lastAtMs = Math.max(this.#lastAtMs, arrivesAtMs) + spentMs
    this.#queue.push({ chunk, atMs: this.#lastAtMs, sliceMost })
    this.#queuedBytes += chunk.length
    if (this.#queuedBytes > flowBytes) this.#from.pause()
    if (this.#queue.length === 1) void this.#run()
  }

  async #run(): Promise<void> {
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      await wait(head.atMs - performance.now())
      await (head.sliceMost === undefined ? this.#write(head.chunk) : this.#sliced(head.chunk, head.sliceMost))
      this.#queue.shift()
      this.#queuedBytes -= head.chunk.length
      if (this.#queuedBytes <= flowBytes) this.#from.resume()
    }
    if (this.#ended && !this.vanishing) this.#to.end()
  }

  async #sliced(chunk: Buffer, most: number): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + this.#random.between(1, most))
      at += piece.length
      await this.#write(piece)
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }

  async #write(bytes: Buffer): Promise<void> {
    if (this.vanishing || this.#to.destroyed) return
    if (!this.#to.write(bytes)) await new Promise<void>((resolve) => onceAny(this.#to, ['drain', 'close'], resolve))
  }

  /** What is under way first. */
  end(): void {
    this.#ended = true
    if (this.#queue.length === 0 && !this.vanishing) this.#to.end()
  }
}

interface Pair {
  readonly client: Socket
  readonly upstream: Socket
  readonly up: Flow
  readonly down: Flow
}

export class Line implements AsyncDisposable {
  readonly #route: Route
  readonly #random: Random
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  readonly #held = new Set<Socket>()
  #cut: CutKind | undefined
  toxics: Toxics = {}
  port = 0

  constructor(route: Route, random: Random) {
    this.#route = route
    this.#random = random
    // A connection with vanishing bytes must not see the other side's FIN either: each half is ended by hand.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client))
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address()
    this.port = typeof address === 'object' && address !== null ? address.port : 0
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get connections(): number {
    return this.#pairs.size
  }

  /** The network is gone from now on. */
  cut(kind: CutKind): void {
    this.#cut = kind
    for (const pair of this.#pairs) {
      if (kind === 'reset') reset(pair)
      if (kind === 'black-hole' || kind === 'half-open-up') pair.up.vanishing = true
      if (kind === 'black-hole' || kind === 'half-open-down') pair.down.vanishing = true
    }
  }

  /** The network is back: for new connections. */
  heal(): void {
    this.#cut = undefined
    for (const client of this.#held) this.#join(client)
    this.#held.clear()
  }

  /** What is connected now is reset; new connections are fine. */
  reset(): void {
    for (const pair of this.#pairs) reset(pair)
  }

  #accept(client: Socket): void {
    client.on('error', () => client.destroy())
    if (this.#cut === undefined) this.#join(client)
    else if (this.#cut === 'reset') client.resetAndDestroy()
    else {
      client.pause()
      this.#held.add(client)
      client.on('close', () => this.#held.delete(client))
    }
  }

  #join(client: Socket): void {
    if (client.destroyed) return
    const route = this.#route()
    if (route === undefined) {
      client.resetAndDestroy()
      return
    }
    const upstream = connect({ port: route.port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    const options = { toxics: () => this.toxics, random: this.#random }
    const pair = {
      client,
      upstream,
      up: new Flow(client, upstream, options),
      down: new Flow(upstream, client, options),
    }
    this.#pairs.add(pair)
    const left = route.onOpen?.(() => reset(pair))
    client.on('end', () => pair.up.end())
    upstream.on('end', () => pair.down.end())
    client.on('error', () => reset(pair))
    // A backend that died resets its sockets; the client must hear the same, unless the network is gone between them.
    upstream.on('error', () => upstream.destroy())
    upstream.on('close', (failed) => {
      if (failed && !pair.down.vanishing) client.resetAndDestroy()
      else pair.down.end()
    })
    client.on('close', () => {
      // The gateway hears nothing of a client whose network is gone.
      if (!pair.up.vanishing) upstream.destroy()
      else setTimeout(() => upstream.destroy(), vanishedMs).unref()
      this.#pairs.delete(pair)
      left?.()
    })
    client.resume()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pair of this.#pairs) reset(pair)
    for (const client of this.#held) client.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}

/** Longer than a gateway keeps a silent socket. */
const vanishedMs = 60_000

function reset({ client, upstream }: Pair): void {
  client.resetAndDestroy()
  upstream.resetAndDestroy()
}

function onceAny(socket: Socket, names: readonly string[], run: () => void): void {
  const done = (): void => {
    for (const name of names) socket.off(name, done)
    run()
  }
  for (const name of names) socket.once(name, done)
}

async function wait(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
}
