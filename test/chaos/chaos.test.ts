import { expect, test } from 'vitest'
import { table } from './report.ts'
import { scenarios } from './scenarios.ts'

// Short versions of `npm run chaos`; the counts of the targets take hours.
const short = { kill: 3, cuts: 4, roll: 2, flush: 3, janitors: 20, freeze: 1, store: 1 } as const

test.each(Object.entries(short))(
  'chaos %s (%i): nothing is lost, doubled, cut off or charged wrongly',
  async (name, count) => {
    const said: string[] = []
    const report = await scenarios[name]?.({ seed: 1, count, say: (line) => said.push(line) })
    if (report === undefined) throw new Error(`no scenario ${name}`)
    const failed = report.checks.filter(({ ok }) => !ok)
    expect(failed, `${said.join('\n')}\n${table(name, report)}`).toEqual([])
  },
)
