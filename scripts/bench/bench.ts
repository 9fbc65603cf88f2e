// `npm run bench`: what the gateway costs beside no gateway and beside a bare relay, in one interleaved run on loopback.
// Slowness never fails it; a lost, doubled or reordered event or an error does.

import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { measureTalks, talkLineOf } from './cascade.ts'
import { type Cell, measure, type Rig, targets } from './cell.ts'
import { Child, endAllNow } from './child.ts'
import { machine, type Repeat, type Row, rowOf, tableOf } from './table.ts'
import { lineOf, measureCalls } from './webrtc.ts'

const usageText = `npm run bench -- [options]
  --quick             50 sessions, one repeat, 3 s windows: under 30 s in all
  --sessions 50,200   how many sessions at once
  --seconds 6         length of a measured window; 6 s is one turn of listening and speaking
  --repeats 2         interleaved; medians are printed
  --targets a,b       of ${targets.join(', ')}
  --calls 10          calls over WebRTC beside them; 0: none
  --profile <folder>  writes CPU profiles of the gateway (its figures then include the profiler)
  --json              one JSON object instead of the table`

interface Plan {
  readonly sessions: readonly number[]
  readonly seconds: number
  readonly repeats: number
  readonly targets: readonly Cell['target'][]
  readonly calls: number
  readonly profileDir: string | undefined
  readonly json: boolean
}

const counts = z.array(z.coerce.number().int().min(1).max(1_000)).min(1)

function planOf(): Plan {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      sessions: { type: 'string' },
      seconds: { type: 'string' },
      repeats: { type: 'string' },
      targets: { type: 'string' },
      calls: { type: 'string' },
      profile: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(usageText)
    process.exit(0)
  }
  const { quick } = values
  return {
    sessions: counts.parse((values.sessions ?? (quick ? '50' : '50,200')).split(',')),
    seconds: z.coerce
      .number()
      .min(1)
      .max(600)
      .parse(values.seconds ?? (quick ? 3 : 6)),
    repeats: z.coerce
      .number()
      .int()
      .min(1)
      .max(20)
      .parse(values.repeats ?? (quick ? 1 : 2)),
    targets: z.array(z.enum(targets)).parse(values.targets?.split(',') ?? targets),
    calls: z.coerce
      .number()
      .int()
      .min(0)
      .max(200)
      .parse(values.calls ?? (quick ? 5 : 10)),
    profileDir: values.profile === undefined ? undefined : resolve(values.profile),
    json: values.json,
  }
}

/** Every other repeat runs backwards, so that a machine that warms up or slows down favours nobody. */
async function runAll(plan: Plan, rig: Rig): Promise<Repeat[]> {
  const cells = plan.sessions.flatMap((sessions) => plan.targets.map((target) => ({ target, sessions })))
  const repeats: Repeat[] = []
  for (let n = 0; n < plan.repeats; n++) {
    const repeat: Cell[] = []
    for (const { target, sessions } of n % 2 === 0 ? cells : cells.toReversed()) {
      process.stderr.write(`repeat ${n + 1}/${plan.repeats}: ${target}, ${sessions} sessions\n`)
      const cell = await measure(rig, target, sessions)
      repeat.push(cell)
      for (const error of cell.errors.slice(0, 5)) process.stderr.write(`  ${error}\n`)
    }
    repeats.push(repeat)
  }
  return repeats
}

function print(rows: readonly Row[], foreignCores: number): void {
  const { node, cores, cpu, platform } = machine()
  console.log(`\n${tableOf(rows)}\n`)
  console.log(
    `Node ${node}, ${cores} cores (${cpu}), ${platform}; 20 ms frames up, turns of 3 s listening, 3 s speaking.`,
  )
  console.log('Absolute numbers vary with the machine and its other work: only the ratios within one run count.')
  console.log(`Other programs kept at most ${foreignCores.toFixed(1)} of ${cores} cores busy meanwhile.`)
}

async function bench(): Promise<boolean> {
  const plan = planOf()
  if (plan.profileDir !== undefined) mkdirSync(plan.profileDir, { recursive: true })
  const [upstream, load] = await Promise.all([Child.start('upstream.ts'), Child.start('load.ts')])
  const { seconds, profileDir } = plan
  const rig = { upstream, load, seconds, profileDir }
  const repeats = await runAll(plan, rig)
  const calls = plan.calls === 0 ? undefined : await measureCalls(rig, plan.calls)
  const talks = plan.calls === 0 ? undefined : await measureTalks(plan.calls, plan.seconds)
  await Promise.all([upstream.end(), load.end()])
  const rows = plan.sessions.flatMap((sessions) =>
    plan.targets.flatMap((target) => rowOf(repeats, target, sessions) ?? []),
  )
  const foreignCores = Math.max(...repeats.flat().map((cell) => cell.foreignCores))
  if (plan.json)
    console.log(JSON.stringify({ machine: machine(), plan, foreignCores, rows, repeats, calls, talks }, null, 2))
  else print(rows, foreignCores)
  if (!plan.json && calls !== undefined) console.log(lineOf(calls))
  if (!plan.json && talks !== undefined) console.log(talkLineOf(talks))
  for (const error of [...(calls?.errors ?? []), ...(talks?.errors ?? [])]) process.stderr.write(`  ${error}\n`)
  const callsStand = calls === undefined || (calls.errors.length === 0 && calls.answered === calls.calls)
  const talksStand = talks === undefined || (talks.errors.length === 0 && talks.speaking === talks.talks)
  return callsStand && talksStand && rows.every((row) => row.lost + row.doubled + row.reordered + row.errors === 0)
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.on(signal, () => process.exit(code))
}
process.on('exit', endAllNow)

try {
  if (!(await bench())) {
    console.error('Failed: events were lost, doubled or reordered, or a session had an error.')
    process.exitCode = 1
  }
} catch (error) {
  console.error(error instanceof z.ZodError ? z.prettifyError(error) : error)
  process.exit(1)
}
