// A gateway is asked what its own document offers, thousands of times, rightly and wrongly: it never breaks, every refusal
// is a problem, every answer is what the document says, and the books are right after it.

import { expect, test } from 'vitest'
import { z } from 'zod'
import { type SignedIn, signIn } from '../harness/sign-in.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'
import { readDocument } from '../surface/document.ts'
import { Chance } from '../surface/random.ts'
import { type Request, requestOf } from '../surface/requests.ts'

const count = 10_000
const atOnce = 6
const seed = 20_261_130

/** What is not there to be asked, and is told so by a 5xx of its own. */
const absent: Readonly<Record<string, RegExp>> = {
  livekit_unavailable: /\/v1\/livekit\//,
  webrtc_unavailable: /\/v1\/realtime\/(calls|ice)/,
}

const errorBody = z.object({ error: z.object({ code: z.string() }) })

interface Tally {
  readonly wrong: string[]
  readonly statuses: Map<number, number>
  readonly done: Set<string>
  /** By what the path is about. */
  readonly ids: Map<string, string[]>
}

/** Somebody who works here; signed in again, and the tenant opened again, when the last requests undid that. */
class Person {
  readonly #gateway: TestGateway
  #signedIn: SignedIn | undefined
  #key: string

  constructor(gateway: TestGateway) {
    this.#gateway = gateway
    this.#key = gateway.apiKey
  }

  async headers(isKey: boolean): Promise<Record<string, string>> {
    if (isKey) return { authorization: `Bearer ${this.#key}` }
    // Somebody new each time: the requests change passwords and second factors of whoever sends them.
    this.#signedIn ??= await signIn(this.#gateway, 'owner')
    return { ...this.#signedIn.headers }
  }

  async restore(): Promise<void> {
    this.#signedIn = undefined
    const { tenants } = this.#gateway.app.slices
    const tenant = await tenants.bySlug('productco')
    if (tenant === undefined) return
    if (tenant.status !== 'active') await tenants.setStatus(tenant.id, 'active')
    // The one in use may have been revoked.
    this.#key = (await this.#gateway.app.slices.identity.createApiKey(tenant.id, 'Again')).raw
  }
}

async function send(gateway: TestGateway, request: Request, headers: Record<string, string>) {
  const path =
    request.path + (headers.cookie === undefined ? '' : `${request.path.includes('?') ? '&' : '?'}tenant=productco`)
  const answer = await fetch(gateway.url + path, {
    method: request.method,
    headers: { ...request.headers, ...headers },
    ...(request.body === undefined || request.method === 'GET' ? {} : { body: request.body }),
    redirect: 'manual',
  })
  return { status: answer.status, type: answer.headers.get('content-type') ?? '', text: await answer.text() }
}

function poolOf(ids: Map<string, string[]>, path: string): string[] {
  const about = path.split('/')[2] ?? ''
  const pool = ids.get(about) ?? []
  ids.set(about, pool)
  return pool
}

/** Ids and slugs of an answer, to ask for. */
function harvest(text: string, ids: string[]): void {
  for (const [, id = ''] of text.matchAll(/"(?:id|slug|name)":"([\w.-]{1,64})"/g)) {
    // The newest stay: the others may be gone.
    ids.push(id)
    if (ids.length > 30) ids.shift()
  }
}

test(`[S001-28] ${count} requests made of the document break nothing, and each is answered as the document says`, {
  timeout: 600_000,
}, async () => {
  await using gateway = await startGateway({ PARLEY_RATE_FACTOR: '100000' })
  const document = readDocument(await (await fetch(`${gateway.url}/v1/openapi.json`)).json())
  expect(document.operations.length).toBeGreaterThan(40)
  const person = new Person(gateway)
  const tally: Tally = { wrong: [], statuses: new Map(), done: new Set(), ids: new Map() }
  let next = 0
  const worker = async (): Promise<void> => {
    for (let i = next++; i < count && tally.wrong.length < 30; i = next++) {
      const chance = new Chance(seed + i)
      const operation = document.operations[i % document.operations.length]
      if (operation === undefined) throw new Error('no operation')
      const own = poolOf(tally.ids, operation.path)
      const ids = chance.next() < 0.8 && own.length > 0 ? own : [...tally.ids.values()].flat()
      const request = requestOf(operation, { document, chance, ids })
      const answer = await send(gateway, request, await person.headers(chance.next() < 0.25))
      tally.statuses.set(answer.status, (tally.statuses.get(answer.status) ?? 0) + 1)
      const wrong = answer.status >= 500 ? broken(operation.path, answer) : operation.wrong(answer)
      if (wrong !== undefined)
        tally.wrong.push(`#${i} ${request.method} ${request.path} ${request.body?.slice(0, 500) ?? ''} → ${wrong}`)
      if (answer.status < 300) {
        tally.done.add(operation.name)
        harvest(answer.text, own)
      }
      if (answer.status === 401 || i % 100 === 0) await person.restore()
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  expect(tally.wrong).toEqual([])
  const never = document.operations.filter(({ name }) => !tally.done.has(name)).map(({ name }) => name)
  // The requests that should be right are: many operations were done at least once.
  expect(never.length, never.join(', ')).toBeLessThan(document.operations.length * 0.6)
  for (const status of [200, 201, 204, 400, 403, 404, 413])
    expect(tally.statuses.get(status), String(status)).toBeGreaterThan(0)
  await person.restore()
  expect((await (await signIn(gateway, 'owner')).call('GET', '/v1/tenant')).status).toBe(200)
  expect(await gateway.app.slices.ledger.reconcile()).toEqual([])
  expect(gateway.log.filter((line) => line.includes('"level":"error"'))).toEqual([])
})

function broken(path: string, { status, text }: { status: number; text: string }): string | undefined {
  const parsed = errorBody.safeParse(safeJson(text))
  const code = parsed.success ? parsed.data.error.code : ''
  return absent[code]?.test(path) === true ? undefined : `${status} ${text.slice(0, 300)}`
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
