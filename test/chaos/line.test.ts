import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { Line } from './line.ts'
import { seeded } from './random.ts'

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]()
})

/** Sends back what it gets. `ends` counts connections whose other side went away. */
async function startEcho(): Promise<{ port: number; ends: () => number; chunks: number[] }> {
  let ends = 0
  const chunks: number[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('data', (chunk) => {
      chunks.push(chunk.length)
      socket.write(chunk)
    })
    socket.on('error', () => undefined)
    socket.on('close', () => ends++)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push({
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  })
  const address = server.address()
  return { port: typeof address === 'object' && address !== null ? address.port : 0, ends: () => ends, chunks }
}

async function startLine(port: number): Promise<Line> {
  const line = await new Line(() => ({ port }), seeded(1)).start()
  open.push(line)
  return line
}

async function dial(line: Line): Promise<{ socket: Socket; got: () => string; failed: () => string | undefined }> {
  const socket = connect({ port: line.port, host: '127.0.0.1', noDelay: true })
  let got = ''
  let failed: string | undefined
  socket.on('data', (chunk) => (got += chunk.toString()))
  socket.on('error', (error: NodeJS.ErrnoException) => (failed = error.code))
  await once(socket, 'connect').catch(() => undefined)
  return { socket, got: () => got, failed: () => failed }
}

const text = 'the quick brown fox jumps over the lazy dog, '.repeat(40)
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

test('a line without toxics passes everything, and the end of either side', async () => {
  const echo = await startEcho()
  const line = await startLine(echo.port)
  const { socket, got } = await dial(line)
  socket.write(text)
  await expect.poll(got).toBe(text)
  socket.end()
  await expect.poll(echo.ends).toBe(1)
  await expect.poll(() => line.connections).toBe(0)
})

test('latency, jitter, slicing and a narrow band delay and cut up, and keep every byte in its order', async () => {
  const echo = await startEcho()
  const line = await startLine(echo.port)
  line.toxics = { latencyMs: 20, jitterMs: 30, sliceMost: 17, bytesPerSecond: 50_000 }
  const { socket, got } = await dial(line)
  const sentAt = performance.now()
  for (let at = 0; at < text.length; at += 300) socket.write(text.slice(at, at + 300))
  await expect.poll(got, { timeout: 10_000 }).toBe(text)
  expect(performance.now() - sentAt).toBeGreaterThan(40)
  // Two writes may meet in one read, so pieces are small on the whole and not each.
  expect(echo.chunks.reduce((sum, length) => sum + length, 0) / echo.chunks.length).toBeLessThan(100)
})

test('reset: both ends fail at once and nobody gets in until the network is back', async () => {
  const echo = await startEcho()
  const line = await startLine(echo.port)
  const first = await dial(line)
  first.socket.write('a')
  await expect.poll(first.got).toBe('a')
  line.cut('reset')
  await expect.poll(first.failed).toBe('ECONNRESET')
  await expect.poll(echo.ends).toBe(1)
  const refused = await dial(line)
  await expect.poll(refused.failed).toBe('ECONNRESET')
  line.heal()
  const second = await dial(line)
  second.socket.write('b')
  await expect.poll(second.got).toBe('b')
})

test('black hole: nothing arrives and nobody is told; who dials meanwhile gets through when the network is back', async () => {
  const echo = await startEcho()
  const line = await startLine(echo.port)
  const first = await dial(line)
  line.cut('black-hole')
  first.socket.write('lost')
  const waiting = await dial(line)
  waiting.socket.write('late')
  await sleep(100)
  expect([first.got(), waiting.got(), echo.chunks, echo.ends()]).toEqual(['', '', [], 0])
  line.heal()
  await expect.poll(waiting.got).toBe('late')
  first.socket.write('still lost')
  await sleep(50)
  expect([first.got(), first.failed(), echo.ends()]).toEqual(['', undefined, 0])
})

test('half-open: one direction goes on', async () => {
  const echo = await startEcho()
  const line = await startLine(echo.port)
  const deaf = await dial(line)
  line.cut('half-open-down')
  deaf.socket.write('heard')
  await expect.poll(() => echo.chunks).toEqual([5])
  await sleep(50)
  expect(deaf.got()).toBe('')
  line.heal()
  const dumb = await dial(line)
  line.cut('half-open-up')
  dumb.socket.write('unheard')
  await sleep(50)
  expect(echo.chunks).toEqual([5])
})
