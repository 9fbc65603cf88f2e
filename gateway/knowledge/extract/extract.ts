// Reads a document in a process of its own, bounded in time and memory: a parser that hangs, swells or is led astray
// by what it reads touches neither the audio nor the stores. It may read the program's own files and write nothing.

import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { setPriority } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Clock } from '../../platform/clock.ts'
import type { SourceFormat } from '../../protocol/knowledge.ts'
import { boundedNode } from './bounded.ts'
import type { Chunk } from './chunks.ts'
import { mostChunks, told } from './told.ts'
import { Unreadable } from './unreadable.ts'

const timeoutMs = 120_000
/** Where nobody is left who would stop it: more than it can use within its time. */
const cpuSeconds = 150
const heapMegabytes = 384
/** With what lies outside the heap: buffers of unpacked streams. */
const mostBytes = 700 * 1024 * 1024
const lookEveryMs = 100
const pageBytes = 4_096
/** Of one line: 200 passages are some 400 KB. */
const lineChars = 4_000_000

export interface Extraction {
  readonly bytes: Uint8Array
  readonly format: SourceFormat
  readonly name: string
  readonly signal: AbortSignal
  /** From 0 to 1, where the format tells. */
  readonly onProgress: (share: number) => void
}

/** Throws Unreadable for what is wrong with the document; anything else is a failure of ours. */
export async function extract(clock: Clock, asked: Extraction): Promise<readonly Chunk[]> {
  const child = spawn(...boundedNode([...flags, program, asked.format, asked.name.slice(0, 200)], cpuSeconds), {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {},
  })
  const ended = Promise.withResolvers<number | null>()
  child.once('error', ended.reject)
  child.once('close', (code) => ended.resolve(code))
  const limits = watched(clock, child, asked.signal)
  try {
    yieldTo(child)
    // It may end before it has read all: how it ended says why.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(asked.bytes)
    const chunks = await heard(child, asked)
    const code = await ended.promise
    limits.throwIfOver()
    if (chunks === undefined || code !== 0)
      throw new Unreadable('too_large', 'Reading it took more memory than a document should.')
    return chunks
  } catch (error) {
    limits.throwIfOver()
    throw error
  } finally {
    limits.cancel()
    child.kill('SIGKILL')
  }
}

const program = join(import.meta.dirname, 'program.ts')
/** Wherever the packages are: beside the program, or above it where it is a package itself. */
const modules = /^.*?[\\/]node_modules/.exec(createRequire(import.meta.url).resolve('unpdf'))?.[0] ?? '/'
const root = join(import.meta.dirname, '../../..')
const flags = [
  `--max-old-space-size=${heapMegabytes}`,
  '--permission',
  `--allow-fs-read=${join(root, '*')}`,
  `--allow-fs-read=${join(dirname(modules), 'node_modules', '*')}`,
]

/** A third of a busy core: the audio comes first. */
const niceness = 5

function yieldTo(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) setPriority(child.pid, niceness)
  } catch {
    // It has ended already.
  }
}

/** Undefined: it ended without saying so. */
async function heard(child: ChildProcess, { onProgress }: Extraction): Promise<readonly Chunk[] | undefined> {
  if (child.stdout === null) throw new Error('the reading process has no output')
  const chunks: Chunk[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.length > lineChars) throw new Unreadable('too_large', 'It is too long.')
    const said = told.parse(JSON.parse(line))
    if (said.is === 'end') return chunks
    if (said.is === 'progress') onProgress(said.share)
    else if (said.is === 'problem') throw new Unreadable(said.code, said.message)
    else chunks.push(...said.chunks)
    if (chunks.length > mostChunks) throw new Unreadable('too_large', 'It is too long.')
  }
  return undefined
}

function watched(clock: Clock, child: ChildProcess, signal: AbortSignal) {
  let over: Error | undefined
  const stop = (why: Error): void => {
    over ??= why
    child.kill('SIGKILL')
  }
  const late = clock.after(timeoutMs, () => stop(new Unreadable('too_slow', 'Reading it took too long.')))
  const look = clock.every(lookEveryMs, async () => {
    if (child.pid !== undefined && (await residentBytes(child.pid)) > mostBytes)
      stop(new Unreadable('too_large', 'Reading it took more memory than a document should.'))
  })
  const aborted = (): void => stop(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
  signal.addEventListener('abort', aborted, { once: true })
  if (signal.aborted) aborted()
  return {
    throwIfOver() {
      if (over !== undefined) throw over
    },
    cancel() {
      late.cancel()
      look.cancel()
      signal.removeEventListener('abort', aborted)
    },
  }
}

/** 0 where the system does not tell: the heap's own limit holds there too. */
async function residentBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '')
  return Number(text.split(' ')[1] ?? 0) * pageBytes
}
