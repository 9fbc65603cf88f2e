// `npm run sim -- --seeds N [--from S] [--jobs J]`: simulated worlds, as many as wanted, on J processor cores (default 1).
// `--seed X` replays one and prints everything that happened in it.

import { fork } from 'node:child_process'
import { parseArgs } from 'node:util'
import { runSeed } from '../test/sim/world.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '1' },
    seed: { type: 'string' },
  },
})

function whole(text: string, name: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} is a whole number`)
  return value
}

async function replay(seed: number): Promise<void> {
  const { log, breaches, hash } = await runSeed(seed, { keepLog: true })
  console.log(log.join('\n'))
  console.log(`seed ${seed}: ${breaches.length === 0 ? 'all is well' : breaches.join('; ')} (${hash})`)
  process.exitCode = breaches.length === 0 ? 0 : 1
}

/** Progress once in so many seconds. */
const tellEveryMs = 10_000

async function runMany(from: number, count: number): Promise<void> {
  const startedMs = performance.now()
  let toldMs = startedMs
  let failed = 0
  for (let seed = from; seed < from + count; seed++) {
    const { breaches } = await runSeed(seed)
    if (breaches.length > 0) {
      failed++
      console.log(`seed ${seed}: ${breaches.join('; ')}\n  again: npm run sim -- --seed ${seed}`)
    }
    const nowMs = performance.now()
    if (nowMs - toldMs < tellEveryMs) continue
    toldMs = nowMs
    console.log(`${seed - from + 1} of ${count} from ${from}, ${failed} failed`)
  }
  const seconds = (performance.now() - startedMs) / 1000
  console.log(`sim: ${count} seeds from ${from}, ${failed} failed, ${(count / seconds).toFixed(1)} seeds/s`)
  process.exitCode = failed === 0 ? 0 : 1
}

function share(from: number, count: number, jobs: number): void {
  const each = Math.ceil(count / jobs)
  for (let start = from; start < from + count; start += each) {
    const mine = Math.min(each, from + count - start)
    const child = fork(import.meta.filename, ['--seeds', String(mine), '--from', String(start)])
    child.on('exit', (code) => {
      if (code !== 0) process.exitCode = 1
    })
  }
}

const [from, count, jobs] = [whole(values.from, 'from'), whole(values.seeds, 'seeds'), whole(values.jobs, 'jobs')]
if (values.seed !== undefined) await replay(whole(values.seed, 'seed'))
else if (jobs > 1) share(from, count, jobs)
else await runMany(from, count)
