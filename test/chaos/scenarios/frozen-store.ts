// The stores stop answering: talk goes on, and what was said is stored when they are back.

import { atMost, none, type Report } from '../report.ts'
import { sleep, World, type WorldOptions } from '../world.ts'

const lengthsS = [6, 20] as const
/** From question to whole answer; a spoken one takes 2 s by itself. */
const answerMs = 5_000

export async function frozenStore(options: WorldOptions): Promise<Report> {
  const count = options.count ?? 6
  await using world = await World.start(options)
  await world.populate(8, { voice: 3, thinkMs: [200, 1_000], patienceMs: 1_000 })
  const silent: string[] = []
  const waitsMs: number[] = []
  for (let i = 0; i < count; i++) {
    await sleep(world.random.between(3_000, 8_000))
    const seconds = lengthsS[i % lengthsS.length] ?? 6
    world.store.freeze()
    const fromMs = performance.now()
    await sleep(seconds * 1_000)
    const untilMs = performance.now()
    world.store.thaw()
    for (const { name, asked } of world.records) {
      const meanwhile = asked.filter((each) => each.askedAtMs > fromMs && each.askedAtMs < untilMs - answerMs)
      const unanswered = meanwhile.filter((each) => each.answeredAtMs === undefined)
      silent.push(...unanswered.map((each) => `${name} waits for the answer to ${each.tag}`))
      waitsMs.push(
        ...meanwhile.flatMap((each) => (each.answeredAtMs === undefined ? [] : each.answeredAtMs - each.askedAtMs)),
      )
      if (meanwhile.length === 0 && seconds * 1_000 > answerMs * 2)
        silent.push(`${name} asked nothing for ${seconds} s`)
    }
    options.say(`stores frozen for ${seconds} s`)
  }
  const judged = await world.conclude({ unbilledPerLossS: 15, graceS: 6 })
  const lost = world.records.flatMap((record) => record.comebacks.map(() => `${record.name} lost its socket`))
  for (const line of [...silent, ...lost]) options.say(line)
  return {
    findings: judged.findings,
    facts: [['freezes', String(count)], ...judged.facts],
    checks: [
      ...judged.checks,
      none('clients left waiting while the stores were frozen', silent),
      none('sockets lost', lost),
      atMost('question to whole answer meanwhile, slowest', Math.max(...waitsMs, 0), answerMs),
    ],
  }
}
