import { expect, test } from 'vitest'
import { table } from './report.ts'
import { scenarios } from './scenarios.ts'

// Short versions of `npm run chaos`, the longest first; the counts of the targets take an hour. How fast it went is judged
// there: here three scenarios run at once, beside other suites.
const short = { freeze: 1, cuts: 4, kill: 3, roll: 2, janitors: 20, store: 1, flush: 3 } as const

test.concurrent.each(Object.entries(short))(
  'chaos %s (%i): nothing is lost, doubled, cut off or charged wrongly',
  async (name, count) => {
    const said: string[] = []
    const report = await scenarios[name]?.({ seed: 1, count, say: (line) => said.push(line) })
    if (report === undefined) throw new Error(`no scenario ${name}`)
    const failed = report.checks.filter(({ ok, timed }) => !ok && timed !== true)
    expect(failed, `${said.join('\n')}\n${table(name, report)}`).toEqual([])
  },
)
