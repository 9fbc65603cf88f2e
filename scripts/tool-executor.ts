// A reference executor of tools of a tenant's own code: one isolated Node process per call, without environment, files,
// children, threads and network, with a limit of time and memory. Run it apart from the gateway:
//   TOOL_EXECUTOR_SECRET=… PORT=8900 node scripts/tool-executor.ts

import { startToolExecutor } from './executor/server.ts'

const secret = process.env.TOOL_EXECUTOR_SECRET ?? ''
if (secret.length < 16) {
  console.error('Set TOOL_EXECUTOR_SECRET, 16 characters or more, as in the gateway.')
  process.exit(1)
}
const { url } = await startToolExecutor({
  secret,
  port: Number(process.env.PORT ?? 8900),
  host: process.env.HOST ?? '127.0.0.1',
})
console.log(`Executor: ${url}`)
