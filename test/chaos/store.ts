// Starts the stores' process and reaches into it.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { z } from 'zod'

const ready = z.object({ mongoUri: z.string(), redisUrl: z.string(), redisToken: z.string() })

export class ChaosStore implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #at: z.output<typeof ready>

  private constructor(child: ChildProcess, at: z.output<typeof ready>) {
    this.#child = child
    this.#at = at
  }

  static async start(dir: string): Promise<ChaosStore> {
    const child = fork(join(import.meta.dirname, 'store-process.ts'), [dir], { stdio: ['ignore', 2, 2, 'ipc'] })
    const [message] = await once(child, 'message')
    return new ChaosStore(child, ready.parse(message))
  }

  get mongoUri(): string {
    return this.#at.mongoUri
  }

  /** What a gateway needs to use these stores. */
  get env(): Readonly<Record<string, string>> {
    return {
      MONGODB_URI: this.#at.mongoUri,
      UPSTASH_REDIS_REST_URL: this.#at.redisUrl,
      UPSTASH_REDIS_REST_TOKEN: this.#at.redisToken,
    }
  }

  async flushRedis(): Promise<void> {
    const response = await fetch(this.#at.redisUrl, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#at.redisToken}` },
      body: '["FLUSHALL"]',
    })
    if (!response.ok) throw new Error(`FLUSHALL: ${response.status} ${await response.text()}`)
  }

  freeze(): void {
    this.#child.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child.kill('SIGCONT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exit
  }
}
