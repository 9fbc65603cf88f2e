// Which gateway takes a new connection: one that says it is ready, the one with the fewest connections of ours.

import { get } from 'node:http'
import type { Route } from './line.ts'

interface Backend {
  readonly name: string
  readonly port: number
  ready: boolean
  readonly open: Set<() => void>
}

const pollMs = 200
const pollTimeoutMs = 1_500

export class Balancer implements Disposable {
  readonly #backends = new Map<string, Backend>()
  readonly #timer = setInterval(() => this.#poll(), pollMs)
  readonly #asked = new Set<Backend>()

  /** Replaces a backend of the same name; it gets connections once it is ready. */
  add(name: string, port: number): void {
    this.#backends.set(name, { name, port, ready: false, open: new Set() })
    this.#poll()
  }

  /** Its process is gone: what is connected to it is reset. */
  remove(name: string): void {
    const backend = this.#backends.get(name)
    this.#backends.delete(name)
    for (const end of backend?.open ?? []) end()
  }

  isReady(name: string): boolean {
    return this.#backends.get(name)?.ready === true
  }

  /** Connections of clients per backend. */
  open(name: string): number {
    return this.#backends.get(name)?.open.size ?? 0
  }

  route: Route = () => {
    const ready = [...this.#backends.values()].filter((backend) => backend.ready)
    const chosen = ready.toSorted((a, b) => a.open.size - b.open.size)[0]
    if (chosen === undefined) return undefined
    return {
      port: chosen.port,
      onOpen: (end) => {
        chosen.open.add(end)
        return () => void chosen.open.delete(end)
      },
    }
  }

  /** Of some ready gateway, for the harness's own requests. */
  anyUrl(): string | undefined {
    const ready = [...this.#backends.values()].find((backend) => backend.ready)
    return ready === undefined ? undefined : `http://127.0.0.1:${ready.port}`
  }

  #poll(): void {
    for (const backend of this.#backends.values()) {
      if (this.#asked.has(backend)) continue
      this.#asked.add(backend)
      void isReady(backend.port).then((ready) => {
        backend.ready = ready
        this.#asked.delete(backend)
      })
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ port, host: '127.0.0.1', path: '/health/ready', timeout: pollTimeoutMs, agent: false })
    request.on('response', (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(false))
  })
}
