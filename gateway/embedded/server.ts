// Sockets in front of the engine. A connection is served one command at a time, as drivers expect.
import { chmodSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type ListenOptions, type Server, type Socket } from 'node:net'
import { toBson } from './document.ts'
import { Engine, type EngineOptions } from './engine.ts'
import { Framer, type Message, parseMessage, toReply } from './wire.ts'

/** A socket file for its owner only, or a loopback port where there are no such files. */
export type Endpoint = { readonly socket: string } | { readonly port: number }

interface RunningServer {
  /** The port in use; 0 on a socket file. */
  readonly port: number
  close(): Promise<void>
}

export async function startServer(options: Omit<EngineOptions, 'address'>, endpoint: Endpoint): Promise<RunningServer> {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.setNoDelay(true)
    socket.on('close', () => {
      open.delete(socket)
      engine.socketClosed(socket)
    })
    serve(socket, engine)
  })
  // Whoever opens the data file is its owner, so a socket file still there is of an owner who died.
  if ('socket' in endpoint) rmSync(endpoint.socket, { force: true })
  await listen(server, 'socket' in endpoint ? { path: endpoint.socket } : { host: '127.0.0.1', port: endpoint.port })
  if ('socket' in endpoint) chmodSync(endpoint.socket, 0o600)
  const port = 'socket' in endpoint ? 0 : portOf(server.address())
  const engine = new Engine({ ...options, address: 'socket' in endpoint ? endpoint.socket : `127.0.0.1:${port}` })
  return {
    port,
    async close() {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      engine.close()
    },
  }
}

const portOf = (address: AddressInfo | string | null): number =>
  typeof address === 'object' && address !== null ? address.port : 0

function listen(server: Server, where: ListenOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(where, () => {
    server.off('error', reject)
    resolve()
  })
  return promise
}

function serve(socket: Socket, engine: Engine): void {
  const framer = new Framer()
  let last: Promise<void> = Promise.resolve()
  const answer = async (message: Message): Promise<void> => {
    if (socket.destroyed) return
    const reply = await engine.run(message.command, socket)
    if (message.silent || socket.destroyed) return
    socket.write(toReply(message, Buffer.isBuffer(reply) ? reply : toBson(reply)))
  }
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    try {
      for (const bytes of framer.push(chunk)) {
        const message = parseMessage(bytes)
        last = last.then(() => answer(message)).catch(() => void socket.destroy())
      }
    } catch {
      // Not the protocol, or damaged: there is no way to answer.
      socket.destroy()
    }
  })
}
