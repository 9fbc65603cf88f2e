// The visitor's token of a chaos client, fetched as the panel of a customer's page does.

import type { Line } from './line.ts'

/** The seed allows the demo widget on pages of the gateway's public address. */
export const customerPage = 'http://chaos.invalid'

const freshMs = 10 * 60_000
const requestMs = 5_000

export class VisitorToken {
  readonly #options: { readonly line: Line; readonly ip: string; readonly name: string }
  #known: { readonly token: string; readonly atMs: number } | undefined

  constructor(options: { readonly line: Line; readonly ip: string; readonly name: string }) {
    this.#options = options
  }

  forget(): void {
    this.#known = undefined
  }

  /** Undefined: no gateway gave one. */
  async get(): Promise<string | undefined> {
    if (this.#known !== undefined && performance.now() - this.#known.atMs < freshMs) return this.#known.token
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
      this.#known = { token: String(body.token), atMs: performance.now() }
      return this.#known.token
    } catch {
      return undefined
    }
  }
}
