// Where the server of a data directory is reached.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Endpoint } from './server.ts'

/** Socket paths are limited to 104 bytes on macOS and 108 on Linux, the end mark included. */
const MAX_SOCKET_PATH_BYTES = 100
const PORT_FILE = 'mongo.port'

/** Windows drivers know no socket files: there the owner's port stands in a file, and later owners take it again. */
export function endpointOf(dir: string, platform: NodeJS.Platform = process.platform): Endpoint {
  if (platform === 'win32') {
    const file = join(dir, PORT_FILE)
    const port = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
    return { port: Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0 }
  }
  const socket = join(dir, 'mongo.sock')
  if (Buffer.byteLength(socket) <= MAX_SOCKET_PATH_BYTES) return { socket }
  const hash = createHash('sha256').update(dir).digest('hex').slice(0, 24)
  return { socket: join(privateDir(join(tmpdir(), `parley-${hash}`)), 'mongo.sock') }
}

/** Makes a directory for this user alone. Throws when somebody else was there first. */
function privateDir(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const { uid, mode } = statSync(path)
  if (uid !== process.getuid?.() || (mode & 0o077) !== 0) throw new Error(`${path} belongs to somebody else`)
  return path
}

export function rememberPort(dir: string, port: number): void {
  if (port) writeFileSync(join(dir, PORT_FILE), String(port), { mode: 0o600 })
}

export function uriOf(endpoint: Endpoint): string {
  const host = 'socket' in endpoint ? encodeURIComponent(endpoint.socket) : `127.0.0.1:${endpoint.port}`
  return `mongodb://${host}/?directConnection=true`
}

/** A connection that does nothing but end when its server does; undefined when nobody listens. */
export function lifeline(endpoint: Endpoint): Promise<Socket | undefined> {
  const { promise, resolve } = Promise.withResolvers<Socket | undefined>()
  if ('port' in endpoint && endpoint.port === 0) return Promise.resolve(undefined)
  const socket = 'socket' in endpoint ? connect(endpoint.socket) : connect(endpoint.port, '127.0.0.1')
  socket.unref()
  socket.once('connect', () => resolve(socket))
  socket.on('error', () => {
    socket.destroy()
    resolve(undefined)
  })
  return promise
}
