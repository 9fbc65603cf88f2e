// The gateways of a run, by name: started, killed, stopped in order, frozen.

import { type Spawned, spawnGateway } from '../harness/spawn-gateway.ts'
import type { Balancer } from './balancer.ts'

export interface Gateway {
  readonly name: string
  readonly process: Spawned
}

export class Gateways implements AsyncDisposable {
  readonly #balancer: Balancer
  readonly #envOf: (name: string) => Readonly<Record<string, string>>
  readonly #running = new Map<string, Spawned>()
  readonly #outputs: { readonly name: string; readonly process: Spawned }[] = []

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
    const spawned = await spawnGateway(this.#envOf(name))
    this.#running.set(name, spawned)
    this.#outputs.push({ name, process: spawned })
    this.#balancer.add(name, Number(new URL(spawned.url).port))
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

  url(name: string): string {
    return this.#of(name).url
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

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#endAll)
    await Promise.all(this.#outputs.map((each) => each.process[Symbol.asyncDispose]()))
  }
}
