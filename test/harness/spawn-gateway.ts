// The gateway (or a script) as a process of its own, for tests that kill it.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

export interface Spawned extends AsyncDisposable {
  readonly child: ChildProcess
  readonly url: string
  readonly wsUrl: string
  /** Milliseconds from spawn to ready. */
  readonly readyMs: number
  /** SIGKILL, by pid; resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>
  output(): string
}

/** `entry`: a test's own program instead of the gateway's, with its arguments. */
export async function spawnGateway(
  env: Readonly<Record<string, string>>,
  entry: readonly [file: string, ...args: readonly string[]] = ['gateway/main.ts'],
): Promise<Spawned> {
  const started = performance.now()
  const [file, ...args] = entry
  const child = spawn(process.execPath, [join(root, file), ...args], {
    cwd: root,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      PORT: '0',
      HOST: '127.0.0.1',
      LOG_LEVEL: 'info',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  const ready = Promise.withResolvers<string>()
  const read = (chunk: Buffer): void => {
    text += chunk.toString()
    const port = /API +http:\/\/[^:]+:(\d+)\//.exec(text)?.[1]
    if (port !== undefined) ready.resolve(port)
  }
  child.stdout?.on('data', read)
  child.stderr?.on('data', read)
  const exit = once(child, 'exit')
  child.once('exit', (code) => ready.reject(new Error(`the gateway exited with ${code} before it was ready:\n${text}`)))
  const port = await ready.promise
  const gone = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal)
      await exit
    }
    return child.exitCode
  }
  return {
    child,
    url: `http://127.0.0.1:${port}`,
    wsUrl: `ws://127.0.0.1:${port}`,
    readyMs: performance.now() - started,
    kill: async () => void (await gone('SIGKILL')),
    stop: () => gone('SIGTERM'),
    output: () => text,
    async [Symbol.asyncDispose]() {
      await gone('SIGKILL')
    },
  }
}

/** Runs `npm run cron:janitor`'s script to its end. */
export async function runJanitor(
  env: Readonly<Record<string, string>>,
): Promise<{ code: number | null; output: string }> {
  return runProgram(join(root, 'scripts/janitor.ts'), [], { LOG_LEVEL: 'warn', ...env })
}

export async function runProgram(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [file, ...args], {
    cwd: root,
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await once(child, 'close')
  return { code: child.exitCode, output }
}
