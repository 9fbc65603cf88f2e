// The demo's voice as the engine sees it: sentences in, samples out; one worker thread for all sessions, started when
// first needed and again after a crash.

import { Worker } from 'node:worker_threads'
import { z } from 'zod'
import type { Log } from '../../platform/log.ts'

export type VoiceName = 'slt' | 'rms' | 'awb' | 'kal'

export interface Voice {
  /** Starts the thread. Rejects when this machine cannot speak. */
  warm(): Promise<void>
  /** PCM16 24 kHz. Rejects when the thread died over it or cannot take more. */
  speak(voice: VoiceName, text: string): Promise<Buffer>
  [Symbol.asyncDispose](): Promise<void>
}

export interface VoiceOptions {
  readonly log: Log
  /** The thread's module; tests give one that misbehaves. */
  readonly module?: URL
}

/** Requests waiting at once: at 60 ms a sentence the last of them waits 4 s. */
const waitingLimit = 64
/** 4 MB hold some 80 s of speech: greetings and phrases that every session says. */
const cacheBytes = 4 * 1024 * 1024
const maxTextChars = 1_000

const reply = z.union([
  z.object({ ready: z.literal(true) }),
  z.object({ id: z.number(), pcm: z.instanceof(ArrayBuffer) }),
  z.object({ id: z.number(), failed: z.string() }),
])

/** Flite's own name; `kal` is its 8 kHz voice, `kal16` the same man at full rate. */
const fliteName: Readonly<Record<VoiceName, string>> = { slt: 'slt', rms: 'rms', awb: 'awb', kal: 'kal16' }

const female = new Set(['alloy', 'coral', 'sage', 'shimmer', 'marin', 'nova', 'kore', 'aoede', 'leda', 'zephyr'])
const british = new Set(['ballad', 'fable', 'verse'])

/** Any provider's voice name as one of ours, so that an agent keeps a voice of about the same kind. */
export function voiceNamed(name: string): VoiceName {
  const known = name.toLowerCase()
  if (known === 'slt' || known === 'rms' || known === 'awb' || known === 'kal') return known
  if (female.has(known) || known === '') return 'slt'
  return british.has(known) ? 'awb' : 'rms'
}

interface Waiting {
  resolve(pcm: Buffer): void
  reject(error: Error): void
}

class FliteVoice implements Voice {
  readonly #options: VoiceOptions
  readonly #waiting = new Map<number, Waiting>()
  readonly #cache = new Map<string, Buffer>()
  #cached = 0
  #nextId = 0
  #worker: Worker | undefined
  #ready: Promise<void> | undefined

  constructor(options: VoiceOptions) {
    this.#options = options
  }

  warm(): Promise<void> {
    this.#ready ??= this.#start()
    return this.#ready
  }

  async speak(voice: VoiceName, text: string): Promise<Buffer> {
    const key = `${voice} ${text}`
    const cached = this.#cache.get(key)
    if (cached !== undefined) {
      this.#cache.delete(key)
      this.#cache.set(key, cached)
      return cached
    }
    await this.warm()
    if (this.#waiting.size >= waitingLimit) throw new Error('the voice is overloaded')
    const id = this.#nextId++
    const pcm = await new Promise<Buffer>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#worker?.ref()
      this.#worker?.postMessage({ id, voice: fliteName[voice], text: text.slice(0, maxTextChars) })
    })
    this.#keep(key, pcm)
    return pcm
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    this.#ready = undefined
    await worker?.terminate()
  }

  #start(): Promise<void> {
    const module = this.#options.module ?? new URL('./flite-worker.ts', import.meta.url)
    const worker = new Worker(module, { name: 'parley-voice', execArgv: ['--disable-warning=ExperimentalWarning'] })
    this.#worker = worker
    return new Promise((resolve, reject) => {
      worker.on('message', (message: unknown) => {
        const read = reply.parse(message)
        if ('ready' in read) resolve()
        else this.#answer(read)
        // Work keeps the process alive until it is done, an idle thread does not.
        if (this.#waiting.size === 0) worker.unref()
      })
      const died = (cause: unknown) => {
        if (this.#worker !== worker) return
        this.#worker = undefined
        this.#ready = undefined
        const error = new Error('the voice thread died', { cause })
        this.#options.log.warn({ err: error }, 'voice thread died')
        reject(error)
        for (const waiting of this.#waiting.values()) waiting.reject(error)
        this.#waiting.clear()
      }
      worker.on('error', died)
      worker.on('exit', died)
    })
  }

  #answer(read: { id: number; pcm: ArrayBuffer } | { id: number; failed: string }): void {
    const waiting = this.#waiting.get(read.id)
    this.#waiting.delete(read.id)
    if ('pcm' in read) waiting?.resolve(Buffer.from(read.pcm))
    else waiting?.reject(new Error(read.failed))
  }

  #keep(key: string, pcm: Buffer): void {
    if (this.#cache.has(key) || pcm.length > cacheBytes / 4) return
    this.#cache.set(key, pcm)
    this.#cached += pcm.length
    for (const [oldest, { length }] of this.#cache) {
      if (this.#cached <= cacheBytes) return
      this.#cache.delete(oldest)
      this.#cached -= length
    }
  }
}

export function createVoice(options: VoiceOptions): Voice {
  return new FliteVoice(options)
}
