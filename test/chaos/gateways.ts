// The gateways of a run, by name: started, killed, stopped in order, frozen.

import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type Spawned, spawnGateway } from '../harness/spawn-gateway.ts'
import type { Balancer } from './balancer.ts'

export class Gateways implements AsyncDisposable {
  readonly #balancer: Balancer
  readonly #envOf: (name: string) => Readonly<Record<string, string>>
  readonly #running = new Map<string, Spawned>()
  readonly #outputs: { readonly name: string; readonly process: Spawned }[] = []

  /** A gateway behind a public address does not say where it listens. */
  readonly #ports = new Map<string, number>()

  constructor(balancer: Balancer, envOf: (name: string) => Readonly<Record<string, string>>) {
    this.#balancer = balancer
    this.#envOf = envOf
    process.once('exit', this.#endAll)
  }

  /** However the harness ends, its gateways do not outlive it. */
  readonly #endAll = (): void => {
    for (const { process } of this.#outputs) process.child.kill('SIGKILL')
  }

  /** Resolves when the balancer sends it connections. */
  async start(name: string): Promise<void> {
    const port = this.#ports.get(name) ?? (await freePort())
    this.#ports.set(name, port)
    const spawned = await spawnGateway({ ...this.#envOf(name), PORT: String(port) })
    this.#running.set(name, spawned)
    this.#outputs.push({ name, process: spawned })
    this.#balancer.add(name, port)
    // Unasked: the balancer must hear of a death in any case.
    spawned.child.once('exit', () => {
      if (this.#running.get(name) === spawned) this.#balancer.remove(name)
    })
    await this.ready(name)
  }

  async ready(name: string, timeoutMs = 20_000): Promise<void> {
    const untilMs = performance.now() + timeoutMs
    while (!this.#balancer.isReady(name)) {
      if (performance.now() > untilMs) throw new Error(`gateway ${name} is not ready:\n${this.#of(name).output()}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  #of(name: string): Spawned {
    const found = this.#running.get(name)
    if (found === undefined) throw new Error(`gateway ${name} does not run`)
    return found
  }

  /** SIGKILL. */
  async kill(name: string): Promise<void> {
    await this.#of(name).kill()
    this.#balancer.remove(name)
  }

  /** SIGTERM; gives the exit code. */
  async stop(name: string): Promise<number | null> {
    const code = await this.#of(name).stop()
    this.#balancer.remove(name)
    return code
  }

  freeze(name: string): void {
    this.#of(name).child.kill('SIGSTOP')
  }

  thaw(name: string): void {
    this.#of(name).child.kill('SIGCONT')
  }

  /** Log lines of all processes so far that a person must act on, and what is no log line at all. */
  alarms(): string[] {
    return this.#outputs.flatMap(({ name, process }) =>
      process
        .output()
        .split('\n')
        .filter((line) => /"level":(50|60)|"level":"(error|fatal)"|unhandled|^\s+at /i.test(line))
        .map((line) => `${name}: ${line.slice(0, 400)}`),
    )
  }

  /** Everything each process said, as files of a folder. */
  async writeLogs(dir: string): Promise<void> {
    await Promise.all(
      this.#outputs.map(({ name, process }, i) => writeFile(join(dir, `${name}-${i}.log`), process.output())),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#endAll)
    await Promise.all(this.#outputs.map((each) => each.process[Symbol.asyncDispose]()))
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('no free port')
  return address.port
}
