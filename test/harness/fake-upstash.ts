// An Upstash database on loopback: its REST wire (commands, pipelines, transactions, event streams) over any requester.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Requester } from '@upstash/redis'
import { createEmbeddedRedis } from '../../gateway/embedded/redis/embedded-redis.ts'

export interface FakeUpstash extends AsyncDisposable {
  readonly url: string
  readonly token: string
  /** Paths asked for with a good token, in order. */
  readonly paths: readonly string[]
  /** While true, requests are read and never answered. */
  silent: boolean
}

export async function startFakeUpstash(requester: Requester = createEmbeddedRedis()): Promise<FakeUpstash> {
  const token = 'fake-upstash-token'
  const paths: string[] = []
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      send(response, 400, { error: error instanceof Error ? error.message : 'ERR internal' })
    })
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.headers.authorization !== `Bearer ${token}`)
      return send(response, 401, { error: 'WRONGPASS invalid or missing auth token' })
    if (request.method !== 'POST') return send(response, 405, { error: 'ERR unsupported method' })
    const body = await read(request)
    const path = (request.url ?? '/')
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent)
    paths.push(request.url ?? '/')
    if (fake.silent) return
    if (path[0] === 'subscribe' || path[0] === 'psubscribe') return await stream(path, response)
    const reply: unknown = await requester.request({ path: path.length === 0 ? undefined : path, body } as Parameters<
      Requester['request']
    >[0])
    const failed = typeof reply === 'object' && reply !== null && 'error' in reply
    send(response, failed ? 400 : 200, request.headers['upstash-encoding'] === 'base64' ? encodeAnswer(reply) : reply)
  }

  async function stream(path: string[], response: ServerResponse): Promise<void> {
    const controller = new AbortController()
    response.on('close', () => controller.abort())
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    const onMessage = (line: string) => void response.write(`data: ${line}\n\n`)
    await requester.request({ path, body: [], onMessage, isStreaming: true, signal: controller.signal })
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const fake: FakeUpstash = {
    url: `http://127.0.0.1:${port}`,
    token,
    paths,
    silent: false,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return fake
}

async function read(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  try {
    return JSON.parse(text === '' ? '[]' : text)
  } catch {
    throw new Error('ERR failed to parse command')
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'upstash-sync-token': 'fake-sync' })
  response.end(JSON.stringify(body))
}

function encodeAnswer(reply: unknown): unknown {
  if (Array.isArray(reply)) return reply.map(encodeAnswer)
  if (typeof reply !== 'object' || reply === null || !('result' in reply)) return reply
  return { result: reply.result === 'OK' ? 'OK' : encodeResult(reply.result) }
}

function encodeResult(result: unknown): unknown {
  if (Array.isArray(result)) return result.map(encodeResult)
  return typeof result === 'string' ? Buffer.from(result).toString('base64') : result
}
