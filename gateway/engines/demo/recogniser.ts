// Ears for words, where the machine has them: pocketsphinx as a child process, never on the thread that carries audio.

import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Log } from '../../platform/log.ts'
import { encodeWav, resample, samplesOf } from '../../platform/resample.ts'

export interface Recogniser {
  /** Words of a stretch of speech (PCM16 24 kHz, silence trimmed). Undefined: could not be made out. */
  hear(pcm: Buffer): Promise<string | undefined>
}

interface Program {
  readonly command: string
  args(wav: string): string[]
  read(output: string): string
}

/** Pocketsphinx 5 answers in JSON lines; the older one in plain lines. */
const programs: readonly Program[] = [
  {
    command: 'pocketsphinx',
    args: (wav) => ['single', wav],
    read: (output) => output.match(/"t"\s*:\s*"([^"]*)"/)?.[1] ?? '',
  },
  {
    command: 'pocketsphinx_continuous',
    args: (wav) => ['-infile', wav, '-logfn', '/dev/null'],
    read: (output) => output.split('\n').join(' '),
  },
]

const timeoutMs = 10_000
/** Real-time factor 0.25-0.45 on one core: more at once would only make all of them late. */
const runningLimit = 2
const outputLimit = 64 * 1024
const recogniserHz = 16_000

/** Undefined when no recogniser is on the PATH. */
export function findRecogniser(log: Log): Recogniser | undefined {
  const program = programs.find(({ command }) => {
    const tried = spawnSync(command, ['-help'], { timeout: 2_000, stdio: 'ignore' })
    return tried.error === undefined
  })
  if (program === undefined) return undefined
  let running = 0
  return {
    async hear(pcm) {
      if (running >= runningLimit) return undefined
      running++
      try {
        return await recognise(program, pcm)
      } catch (thrown) {
        log.warn({ err: thrown }, 'speech recognition failed')
        return undefined
      } finally {
        running--
      }
    },
  }
}

async function recognise(program: Program, pcm: Buffer): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-ears-'))
  try {
    const wav = join(folder, 'speech.wav')
    await writeFile(wav, encodeWav(resample(samplesOf(pcm), 24_000, recogniserHz), recogniserHz))
    const text = program
      .read(await run(program.command, program.args(wav)))
      .replace(/\s+/g, ' ')
      .trim()
    return text === '' ? undefined : text
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function run(command: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    let output = ''
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', (chunk: string) => {
      if (output.length < outputLimit) output += chunk
    })
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(output)
      else reject(new Error(`${command} ended with ${code ?? 'a signal'}`))
    })
  })
}
