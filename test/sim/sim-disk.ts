// A data folder in memory, as the log of waiting turns uses it: it outlives the processes whose files are in it. What a
// process was about to write dies with it, what it has written does not.

import type { WalOptions } from '../../gateway/transcript/transcript.ts'
import type { Random } from '../chaos/random.ts'
import type { Life, Scheduler } from './scheduler.ts'

type Disk = NonNullable<WalOptions['disk']>
type File = Awaited<ReturnType<Disk['open']>>

export class SimFolder {
  readonly files = new Map<string, Buffer>()
  /** By path, who holds it: dropped by its death, kept while it stands still. */
  readonly locks = new Map<string, Life>()

  get isEmpty(): boolean {
    return [...this.files.values()].every((data) => data.length === 0)
  }
}

export interface DiskUse {
  readonly folder: SimFolder
  readonly life: Life
  readonly scheduler: Scheduler
  readonly random: Random
}

/** As one process sees it. */
export function simDisk(use: DiskUse): Disk {
  const { folder, life } = use
  return {
    prepare: async () => {},
    list: async () => [...folder.files.keys()].map((path) => path.slice(path.lastIndexOf('/') + 1)),
    lock(path) {
      if (folder.locks.get(path)?.alive === true) return undefined
      folder.locks.set(path, life)
      return { release: () => void folder.locks.delete(path) }
    },
    async open(path) {
      folder.files.set(path, Buffer.alloc(0))
      return file(path, use)
    },
    read: async (path) => folder.files.get(path)?.toString(),
    remove: async (path) => void folder.files.delete(path),
  }
}

function file(path: string, { folder, life, scheduler, random }: DiskUse): File {
  const later = (run: () => void): Promise<void> =>
    new Promise((resolve) => {
      // A disk that is busy with something else, now and then.
      const ms = random.next() < 0.05 ? random.next() * 150 : random.next() * 4
      const end = (): void => {
        run()
        resolve()
      }
      scheduler.in(ms, end, life)
    })
  return {
    append: (data) =>
      later(() => folder.files.set(path, Buffer.concat([folder.files.get(path) ?? Buffer.alloc(0), data]))),
    sync: () => later(() => {}),
    replace: (data) => later(() => folder.files.set(path, data)),
    close: async () => {},
  }
}
