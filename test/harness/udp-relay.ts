// The network between a peer and the gateway, on loopback: everything of a call goes through it, and some of it is lost.

import { createSocket, type Socket } from 'node:dgram'

export interface RelayOptions {
  /** Share of the packets that are lost, each way. */
  readonly loss?: number
  /** Makes what is lost repeatable. */
  readonly seed?: number
}

const host = '127.0.0.1'

function bound(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    socket.once('error', reject)
    socket.bind(0, host, () => resolve(socket))
  })
}

/** mulberry32 */
function randomOf(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export class UdpRelay implements AsyncDisposable {
  readonly #front: Socket
  readonly #back: Socket
  readonly #random: () => number
  readonly #loss: number
  #gatewayPort: number | undefined
  #peer: { readonly port: number; readonly address: string } | undefined
  passed = 0
  lost = 0
  /** Nothing passes any more, and nobody is told. */
  isCut = false

  private constructor(sockets: { front: Socket; back: Socket }, { loss = 0, seed = 1 }: RelayOptions) {
    this.#front = sockets.front
    this.#back = sockets.back
    this.#loss = loss
    this.#random = randomOf(seed)
    this.#front.on('message', (packet, from) => {
      this.#peer = from
      if (this.#gatewayPort !== undefined && this.#passes()) this.#back.send(packet, this.#gatewayPort, host)
    })
    this.#back.on('message', (packet) => {
      if (this.#peer !== undefined && this.#passes()) this.#front.send(packet, this.#peer.port, this.#peer.address)
    })
  }

  static async start(options: RelayOptions = {}): Promise<UdpRelay> {
    const [front, back] = await Promise.all([bound(), bound()])
    return new UdpRelay({ front, back }, options)
  }

  #passes(): boolean {
    const passes = !this.isCut && this.#random() >= this.#loss
    if (passes) this.passed++
    else this.lost++
    return passes
  }

  /** The gateway learns no address of the peer: it could be reached past the relay. */
  offer(sdp: string): string {
    return sdp.replace(/a=candidate:.*\r\n/g, '')
  }

  /** The peer learns the relay's address only. */
  answer(sdp: string): string {
    const found = /a=candidate:(\S+) 1 udp (\d+) 127\.0\.0\.1 (\d+) typ host/i.exec(sdp)
    if (found === null) throw new Error('the answer has no candidate on loopback')
    this.#gatewayPort = Number(found[3])
    const candidate = `a=candidate:${found[1]} 1 udp ${found[2]} ${host} ${this.#front.address().port} typ host\r\n`
    const [first = '', ...sections] = this.offer(sdp).split(/(?=m=)/)
    return first + sections.map((section, i) => (i === 0 ? section + candidate : section)).join('')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [this.#front, this.#back].map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))),
    )
  }
}
