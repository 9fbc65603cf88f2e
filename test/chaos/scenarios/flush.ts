// Redis loses everything at random points: no balance changes beyond the bill.

import { readCredits } from '../evidence.ts'
import { none, type Report } from '../report.ts'
import { sleep, World, type WorldOptions } from '../world.ts'

const clients = 12

export async function flush(options: WorldOptions): Promise<Report> {
  const count = options.count ?? 200
  await using world = await World.start(options)
  await world.populate(clients, { voice: 4, thinkMs: [200, 1_500] })
  const changes: string[] = []
  for (let i = 1; i <= count; i++) {
    await sleep(world.random.between(200, 2_500))
    const before = await readCredits(world.api)
    await world.store.flushRedis()
    const after = await readCredits(world.api)
    // No session ends here, so nothing is posted; the same holds are there.
    if (after.postedMicro !== before.postedMicro) changes.push(`posted ${before.postedMicro} → ${after.postedMicro}`)
    const gone = before.holds.filter((hold) => !after.holds.some((each) => each.id === hold.id))
    changes.push(...gone.map((hold) => `hold ${hold.id} went away`))
    if (i % 20 === 0) options.say(`${i} of ${count} flushes`)
  }
  const judged = await world.conclude({ unbilledPerLossS: 15, graceS: 6 })
  const lost = world.records.flatMap((record) => record.comebacks.map(() => `${record.name} lost its socket`))
  for (const line of changes) options.say(line)
  return {
    findings: judged.findings,
    facts: [['flushes', String(count)], ...judged.facts],
    checks: [...judged.checks, none('changes of balance or holds by a flush', changes), none('sockets lost', lost)],
  }
}
