// A tool server of the stateless spec (2026-07-28) over HTTP, on loopback: the protocol's own server package behind node's.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'

export interface StatelessMcp {
  readonly url: string
  /** Orders that were placed. */
  readonly orders: string[]
  /** What it was asked: method and headers. */
  readonly asked: { readonly method: string; readonly headers: IncomingMessage['headers'] }[]
  /** What it says of `place_order` from now on. */
  describe(words: string): void
  /** The next call is done, and its answer never comes. */
  cut(): void
  /** The next answer is this large. */
  shout(bytes: number): void
  stop(): Promise<void>
}

export async function startStatelessMcp(options: { readonly legacy?: boolean } = {}): Promise<StatelessMcp> {
  const orders: string[] = []
  const asked: StatelessMcp['asked'] = []
  const next = { words: 'Places an order.', isCut: false, bytes: 0 }
  const make = () => {
    const server = new McpServer({ name: 'shop', version: '1' })
    const input = z.object({ item: z.string() })
    server.registerTool('place_order', { description: next.words, inputSchema: input }, async ({ item }) => {
      orders.push(item)
      const text = next.bytes > 0 ? 'x'.repeat(next.bytes) : `ordered ${item}`
      next.bytes = 0
      return { content: [{ type: 'text', text }], structuredContent: { item, number: orders.length } }
    })
    return server
  }
  const handler = createMcpHandler(make, options.legacy === true ? {} : { legacy: 'reject' })
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const body = Buffer.concat(parts)
    const { method = 'GET', headers } = request
    const said = body.length === 0 ? {} : JSON.parse(body.toString('utf8'))
    asked.push({ method: String(said.method ?? method), headers })
    const answer = await handler.fetch(
      new Request(`http://${headers.host}${request.url}`, {
        method,
        headers: new Headers(Object.entries(headers).map(([name, value]) => [name, String(value)])),
        ...(body.length === 0 ? {} : { body }),
      }),
    )
    const text = await answer.text()
    if (next.isCut && said.method === 'tools/call') {
      next.isCut = false
      response.socket?.destroy()
      return
    }
    response.writeHead(answer.status, Object.fromEntries(answer.headers))
    response.end(text)
  }
  const server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    ...{ url: `http://127.0.0.1:${address.port}/mcp`, orders, asked },
    describe(words) {
      next.words = words
    },
    cut() {
      next.isCut = true
    },
    shout(bytes) {
      next.bytes = bytes
    },
    async stop() {
      await handler.close()
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
