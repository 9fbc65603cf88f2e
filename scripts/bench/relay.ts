// The floor: one `ws` socket joined to another and nothing else. No credentials, no metering, no transcript, no bounds.

import { type RawData, WebSocket, WebSocketServer } from 'ws'
import { answerBench, readUsage } from './calls.ts'

const upstream = process.argv[2] ?? ''

function join(client: WebSocket): void {
  const provider = new WebSocket(upstream, { perMessageDeflate: false })
  const early: RawData[] = []
  provider.on('open', () => {
    for (const frame of early.splice(0)) provider.send(frame, { binary: false })
  })
  client.on('message', (frame, binary) => {
    if (provider.readyState === WebSocket.OPEN) provider.send(frame, { binary })
    else early.push(frame)
  })
  provider.on('message', (frame, binary) => client.send(frame, { binary }))
  for (const [one, other] of [
    [client, provider],
    [provider, client],
  ] as const) {
    one.on('close', () => other.close())
    one.on('error', () => other.terminate())
  }
}

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
server.on('connection', join)
server.on('listening', () => {
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  answerBench({ url: `ws://127.0.0.1:${port}/v1/realtime`, keys: [] }, { usage: readUsage })
})
