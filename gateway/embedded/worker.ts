// The thread that owns the data: never the one that carries audio.
import { parentPort, workerData } from 'node:worker_threads'
import { z } from 'zod'
import { startServer } from './server.ts'

const settings = z.object({
  dir: z.string(),
  sync: z.enum(['NORMAL', 'FULL']),
  endpoint: z.union([z.object({ socket: z.string() }), z.object({ port: z.number() })]),
  sweepIntervalMs: z.number().optional(),
})

const { endpoint, ...options } = settings.parse(workerData)
const server = await startServer(options, endpoint)
parentPort?.on('message', async () => {
  await server.close()
  process.exit(0)
})
parentPort?.postMessage({ port: server.port })
