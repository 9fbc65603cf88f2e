// The processes of the bench: started with a pipe, asked by calls, ended by their own pid whatever happens.

import { type ChildProcess, fork } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { type Ready, ready } from './calls.ts'

const startTimeoutMs = 30_000
const callTimeoutMs = 120_000
/** Profiles are written at an orderly end; a process that takes longer is killed. */
const endMs = 3_000

const answer = z.object({ id: z.number(), value: z.unknown().optional(), error: z.string().optional() })

const running = new Set<ChildProcess>()
const folders = new Set<string>()

/** Removed at the end, however the bench ends. */
export function willRemove(folder: string): string {
  folders.add(folder)
  return folder
}

export function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  folders.delete(folder)
}

/** For exits that wait for nothing. */
export function endAllNow(): void {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of [...folders]) remove(folder)
}

export class Child {
  readonly #name: string
  readonly #process: ChildProcess
  readonly #exited: Promise<void>
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #calls = 0
  #ready: Ready = { url: '', keys: [] }

  private constructor(file: string, args: readonly string[], execArgv: readonly string[]) {
    this.#name = file
    this.#process = fork(join(import.meta.dirname, file), args, {
      execArgv: [...execArgv],
      stdio: ['ignore', 2, 2, 'ipc'],
    })
    running.add(this.#process)
    this.#process.on('message', (message) => this.#answered(message))
    this.#exited = new Promise((resolve) => {
      this.#process.on('exit', (code, signal) => {
        running.delete(this.#process)
        for (const each of this.#waiting.values()) each.reject(new Error(`${file} ended (${signal ?? code})`))
        resolve()
      })
    })
  }

  /** Resolves when the process says that it is ready. */
  static async start(file: string, args: readonly string[] = [], execArgv: readonly string[] = []): Promise<Child> {
    const child = new Child(file, args, execArgv)
    child.#ready = ready.parse(await child.#answer(0, startTimeoutMs))
    return child
  }

  get ready(): Ready {
    return this.#ready
  }

  async call<S extends z.ZodType>(name: string, schema: S, given: unknown = {}): Promise<z.output<S>> {
    const id = ++this.#calls
    const value = this.#answer(id, callTimeoutMs)
    this.#process.send({ id, call: name, with: given })
    return schema.parse(await value)
  }

  async #answer(id: number, timeoutMs: number): Promise<unknown> {
    const waiting = Promise.withResolvers<unknown>()
    this.#waiting.set(id, waiting)
    const late = setTimeout(() => waiting.reject(new Error(`${this.#name} does not answer`)), timeoutMs)
    try {
      return await waiting.promise
    } finally {
      clearTimeout(late)
      this.#waiting.delete(id)
    }
  }

  #answered(message: unknown): void {
    const { id, value, error } = answer.parse(message)
    if (error === undefined) this.#waiting.get(id)?.resolve(value)
    else this.#waiting.get(id)?.reject(new Error(`${this.#name}: ${error}`))
  }

  async end(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect()
    const late = setTimeout(() => this.#process.kill('SIGKILL'), endMs)
    await this.#exited
    clearTimeout(late)
  }
}
