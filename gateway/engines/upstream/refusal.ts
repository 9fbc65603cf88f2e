// A refused upgrade in our words. The provider's own message stays out of it: it may quote the key.

import type { IncomingMessage } from 'node:http'
import { z } from 'zod'

export interface Refusal {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly retryAfterMs: number | null
}

const body = z.object({ error: z.object({ code: z.string().regex(/^[a-z0-9_.]{1,64}$/) }) })
/** Refusals are short; the rest of a proxy's page is not read. */
const bodyLimit = 16 * 1024
/** The client must learn of a refusal within 100 ms: a body that dawdles is not waited for. */
const bodyWaitMs = 60

export async function readRefusal(response: IncomingMessage): Promise<Refusal> {
  return refusalOf(response.statusCode ?? 0, await text(response), response.headers['retry-after'])
}

export function refusalOf(status: number, text: string, retryAfter: string | null | undefined): Refusal {
  const seconds = Number(retryAfter ?? Number.NaN)
  return {
    status,
    code: codeOf(text) ?? `http_${status}`,
    message: `the provider answered ${status}`,
    retryAfterMs: status === 429 && Number.isFinite(seconds) ? seconds * 1000 : null,
  }
}

function codeOf(text: string): string | undefined {
  try {
    return body.safeParse(JSON.parse(text)).data?.error.code
  } catch {
    return undefined
  }
}

function text(response: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    let read = ''
    const done = () => {
      clearTimeout(timer)
      resolve(read)
    }
    const timer = setTimeout(done, bodyWaitMs)
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => {
      read += chunk
      if (read.length > bodyLimit) done()
    })
    response.on('end', done)
    response.on('error', done)
  })
}
