// Clerk as the gateway meets it: an address with its keys, session tokens signed with them, and webhooks signed as Svix does.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { Webhook } from 'standardwebhooks'

interface Pair {
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
}

export class FakeClerk implements AsyncDisposable {
  readonly webhookSecret = `whsec_${randomBytes(24).toString('base64')}`
  readonly #server: Server
  #pairs: Pair[] = []
  /** How often the keys were asked for. */
  asked = 0

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<FakeClerk> {
    const server = createServer()
    const clerk = new FakeClerk(server)
    server.on('request', (request, response) => {
      const send = (body: unknown) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      if (request.url === '/.well-known/openid-configuration')
        send({ issuer: clerk.issuer, jwks_uri: `${clerk.issuer}/.well-known/jwks.json` })
      else if (request.url === '/.well-known/jwks.json') clerk.#keys().then(send, () => response.writeHead(500).end())
      else response.writeHead(404).end()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    await clerk.rotate()
    return clerk
  }

  get issuer(): string {
    const { port } = this.#server.address() as AddressInfo
    return `http://127.0.0.1:${port}`
  }

  async #keys(): Promise<unknown> {
    this.asked++
    const keys = this.#pairs.map(async ({ kid, publicKey }) => ({
      ...(await exportJWK(publicKey)),
      ...{ kid, alg: 'RS256', use: 'sig' },
    }))
    return { keys: await Promise.all(keys) }
  }

  /** A new key signs from now on. The old one is gone. */
  async rotate(): Promise<void> {
    const pair = await generateKeyPair('RS256', { extractable: true })
    this.#pairs = [{ ...pair, kid: `ins_${randomBytes(6).toString('hex')}` }]
  }

  get #newest(): Pair {
    const [pair] = this.#pairs
    if (pair === undefined) throw new Error('no key')
    return pair
  }

  publicPem(): Promise<string> {
    return exportSPKI(this.#newest.publicKey)
  }

  get kid(): string {
    return this.#newest.kid
  }

  /** A session token, as Clerk makes it: for a minute, without an audience. */
  token(subject: string, own: JWTPayload & { kid?: string; lifeSeconds?: number } = {}): Promise<string> {
    const { kid = this.kid, lifeSeconds = 60, ...claims } = own
    const now = Math.floor(Date.now() / 1000)
    return new SignJWT({ azp: 'http://localhost:3000', sid: 'sess_1', iss: this.issuer, sub: subject, ...claims })
      .setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' })
      .setIssuedAt(claims.iat ?? now + Math.min(0, lifeSeconds) - 60)
      .setNotBefore(claims.nbf ?? now - 120)
      .setExpirationTime(now + lifeSeconds)
      .sign(this.#newest.privateKey)
  }

  /** Headers and body of a webhook. */
  signed(event: object, at = new Date(), secret = this.webhookSecret) {
    const body = JSON.stringify({ object: 'event', ...event })
    const id = `msg_${randomBytes(8).toString('hex')}`
    const headers = {
      'content-type': 'application/json',
      'svix-id': id,
      'svix-timestamp': String(Math.floor(at.getTime() / 1000)),
      'svix-signature': new Webhook(secret).sign(id, at, body),
    }
    return { headers, body }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}
