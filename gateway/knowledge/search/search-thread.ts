// The searching thread as this one sees it: begun with the first question, begun anew if it ever dies.

import { Worker } from 'node:worker_threads'
import type { Entry, Hit, Query } from './tenant-index.ts'

export type Asked = { readonly id: number; readonly tenantId: string } & (
  | { readonly do: 'add'; readonly group: string; readonly entries: readonly Entry[] }
  | { readonly do: 'remove'; readonly group: string }
  | { readonly do: 'drop' }
  | { readonly do: 'search'; readonly query: Query }
)

export interface Told {
  readonly id: number
  readonly hits?: readonly Hit[]
}

type Request = Asked extends infer A ? (A extends Asked ? Omit<A, 'id'> : never) : never

export interface SearchThread {
  /** Grows when the thread is another one, which knows nothing of what was added before. */
  readonly life: number
  /** Rejects when the thread dies. */
  ask(request: Request): Promise<readonly Hit[]>
  close(): Promise<void>
}

/** Beyond it the thread dies and is begun anew; see `mostPassages` in tenant-indexes.ts. */
const heapMegabytes = 1_024

export function createSearchThread(): SearchThread {
  let life = 0
  let count = 0
  let worker: Worker | undefined
  const waiting = new Map<number, PromiseWithResolvers<readonly Hit[]>>()

  function begun(): Worker {
    if (worker !== undefined) return worker
    const made = new Worker(new URL('./search-worker.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: heapMegabytes },
    })
    made.on('message', ({ id, hits }: Told) => {
      waiting.get(id)?.resolve(hits ?? [])
      waiting.delete(id)
      if (waiting.size === 0) made.unref()
    })
    made.on('error', (error) => lost(made, error))
    made.on('exit', () => lost(made, new Error('the searching thread ended')))
    made.unref()
    worker = made
    return made
  }

  function lost(which: Worker, error: unknown): void {
    if (worker !== which) return
    worker = undefined
    life++
    for (const each of waiting.values()) each.reject(error)
    waiting.clear()
  }

  return {
    get life() {
      return life
    },
    ask(request) {
      const thread = begun()
      const id = ++count
      const answer = Promise.withResolvers<readonly Hit[]>()
      waiting.set(id, answer)
      // While somebody waits the process does not end.
      thread.ref()
      thread.postMessage({ ...request, id })
      return answer.promise
    },
    async close() {
      const last = worker
      if (last !== undefined) lost(last, new Error('closed'))
      await last?.terminate()
    },
  }
}
