// The other half of the evidence: what a surviving gateway tells over HTTP.

import { z } from 'zod'

const turn = z.object({
  itemId: z.string(),
  sessionId: z.string(),
  role: z.string(),
  state: z.string(),
  seq: z.number(),
  text: z.string(),
  unheard: z.string().optional(),
})
const session = z.object({
  id: z.string(),
  state: z.string(),
  endReason: z.string().optional(),
  seconds: z.number(),
  creditsMicro: z.number(),
})
const receipt = z.object({
  sessionId: z.string(),
  holdId: z.string(),
  totalMicro: z.number(),
  entryId: z.string(),
  lines: z.array(z.object({ meter: z.string(), quantity: z.number(), amountMicro: z.number() })),
})
const entry = z.object({
  id: z.string(),
  kind: z.string(),
  amountMicro: z.number(),
  balanceMicro: z.number(),
  sessionId: z.string().optional(),
})
const credits = z.object({
  postedMicro: z.number(),
  heldMicro: z.number(),
  availableMicro: z.number(),
  holds: z.array(z.object({ id: z.string(), sessionId: z.string(), amountMicro: z.number(), usedMicro: z.number() })),
})

export type StoredTurn = z.output<typeof turn>
export type StoredReceipt = z.output<typeof receipt>
export type Entry = z.output<typeof entry>
export type Credits = z.output<typeof credits>

export interface StoredSession extends z.output<typeof session> {
  readonly turns: readonly StoredTurn[]
  readonly receipt: StoredReceipt | undefined
}

export interface Evidence {
  readonly sessions: ReadonlyMap<string, StoredSession>
  /** Newest first. */
  readonly entries: readonly Entry[]
  readonly credits: Credits
}

export interface Api {
  /** Of some gateway that is ready. */
  readonly url: () => string | undefined
  readonly apiKey: string
}

const requestMs = 10_000
const patienceMs = 20_000
let requests = 0

/** Asks until some gateway answers; undefined for 404. */
async function ask<T>(api: Api, path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const untilMs = performance.now() + patienceMs
  for (;;) {
    try {
      const response = await fetch(`${api.url() ?? 'http://127.0.0.1:1'}${path}`, {
        // A gateway's limit is per address, and this is not the load it is meant for.
        headers: { authorization: `Bearer ${api.apiKey}`, 'x-forwarded-for': `10.99.${requests++ % 250}.1` },
        signal: AbortSignal.timeout(requestMs),
      })
      if (response.status === 404) return undefined
      if (response.ok) return schema.parse(await response.json())
      if (response.status < 429) throw new Refused(`${path}: ${response.status} ${await response.text()}`)
    } catch (error) {
      if (error instanceof Refused || error instanceof z.ZodError || performance.now() > untilMs) throw error
    }
    if (performance.now() > untilMs) throw new Error(`no gateway answers ${path}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

class Refused extends Error {}

async function required<T>(api: Api, path: string, schema: z.ZodType<T>): Promise<T> {
  const found = await ask(api, path, schema)
  if (found === undefined) throw new Error(`${path}: not found`)
  return found
}

async function pages<T>(api: Api, path: string, schema: z.ZodType<T>): Promise<T[]> {
  const page = z.object({ items: z.array(schema), next: z.string().nullable() })
  const all: T[] = []
  let cursor = ''
  for (;;) {
    const { items, next } = await required(api, `${path}?limit=200${cursor}`, page)
    all.push(...items)
    if (next === null) return all
    cursor = `&cursor=${encodeURIComponent(next)}`
  }
}

export function readCredits(api: Api): Promise<Credits> {
  return required(api, '/v1/credits', credits)
}

export async function readTurns(api: Api, sessionId: string): Promise<readonly StoredTurn[]> {
  const path = `/v1/sessions/${sessionId}/transcript`
  return (await required(api, path, z.object({ turns: z.array(turn) }))).turns
}

export async function readEvidence(api: Api): Promise<Evidence> {
  const sessions = new Map<string, StoredSession>()
  for (const each of await pages(api, '/v1/sessions', session)) {
    const [turns, bill] = await Promise.all([
      readTurns(api, each.id),
      ask(api, `/v1/sessions/${each.id}/receipt`, receipt),
    ])
    sessions.set(each.id, { ...each, turns, receipt: bill })
  }
  const entries = await pages(api, '/v1/credits/entries', entry)
  return { sessions, entries, credits: await readCredits(api) }
}
