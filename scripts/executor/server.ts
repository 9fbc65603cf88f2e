// The executor's side of the wire: checks the signature, runs the code apart, answers with its result or its error.

import { createServer, type IncomingMessage } from 'node:http'
import { Webhook } from 'standardwebhooks'
import { z } from 'zod'
import { type Ran, runApart } from './run-apart.ts'

export interface ToolExecutor extends AsyncDisposable {
  readonly url: string
}

const call = z.object({
  tool: z.string(),
  handlerCode: z.string().max(32_000),
  arguments: z.record(z.string(), z.json()),
  timeoutMs: z.number().min(1).max(60_000),
  callId: z.string(),
})
const bodyBytes = 256 * 1024
/** Each takes up to 100 MB: beyond it the gateway is told to come back. */
const atOnce = 8

export async function startToolExecutor(options: {
  readonly secret: string
  readonly port: number
  readonly host: string
}): Promise<ToolExecutor> {
  const webhook = new Webhook(Buffer.from(options.secret).toString('base64'))
  let running = 0
  const answer = async (request: IncomingMessage): Promise<{ readonly status: number; readonly json: object }> => {
    const body = await bodyOf(request)
    const parsed = call.safeParse(body === undefined ? undefined : verified(webhook, request, body))
    if (!parsed.success) return { status: 401, json: { error: { code: 'refused', message: 'Not signed as agreed.' } } }
    if (running >= atOnce) return { status: 503, json: { error: { code: 'busy', message: 'Too many calls.' } } }
    running += 1
    const ran: Ran = await runApart(parsed.data).finally(() => {
      running -= 1
    })
    return { status: 200, json: ran }
  }
  const server = createServer(async (request, response) => {
    const { status, json } = await answer(request).catch(() => ({
      status: 500,
      json: { error: { code: 'failed', message: 'The executor failed.' } },
    }))
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json))
  })
  await new Promise<void>((resolve) => server.listen(options.port, options.host, resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://${options.host}:${address.port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Undefined: too large. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request) {
    bytes += part.length
    if (bytes > bodyBytes) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}

/** The JSON of a body whose signature is right and not older than five minutes; undefined otherwise. */
function verified(webhook: Webhook, request: IncomingMessage, body: string): unknown {
  const headers = Object.fromEntries(
    ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => [name, String(request.headers[name] ?? '')]),
  )
  try {
    return webhook.verify(body, headers)
  } catch {
    return undefined
  }
}
