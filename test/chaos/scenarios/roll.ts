// Rolling restarts under live sessions: nobody is cut off.

import { none, type Report, spread } from '../report.ts'
import { names, sleep, World, type WorldOptions } from '../world.ts'

const drainMs = 120_000

export async function roll(options: WorldOptions): Promise<Report> {
  const count = options.count ?? 20
  await using world = await World.start(options)
  const clients = count < 10 ? 8 : 50
  await world.populate(clients, { voice: Math.floor(clients / 5), thinkMs: [1_000, 4_000] })
  const before = world.visitors.map(({ client }) => client.sessionId)
  const wrongExits: string[] = []
  const rollMs: number[] = []
  for (let i = 0; i < count; i++) {
    await sleep(world.random.between(500, 3_000))
    const name = names[i % 2] ?? 'a'
    const begunMs = performance.now()
    const code = await Promise.race([world.gateways.stop(name), sleep(drainMs).then(() => 'no exit' as const)])
    rollMs.push(performance.now() - begunMs)
    if (code !== 0) wrongExits.push(`${name}: ${code}`)
    if (code === 'no exit') await world.gateways.kill(name)
    await world.gateways.start(name)
    options.say(`${i + 1} of ${count} restarts, ${(performance.now() - begunMs).toFixed(0)} ms`)
  }
  await sleep(2_000)
  const cut = world.visitors.flatMap(({ client }, i) =>
    client.sessionId === before[i] ? [] : `${client.record.name}: ${before[i]} became ${client.sessionId}`,
  )
  const lost = world.records.flatMap((record) =>
    record.comebacks.filter((each) => !each.moved).map(() => `${record.name} lost its socket`),
  )
  const judged = await world.conclude({ unbilledPerLossS: 1, graceS: 6 })
  const abnormal = world.records.flatMap((record) =>
    record.closes.filter((code) => code === 1006).map(() => record.name),
  )
  for (const line of [...cut, ...lost, ...wrongExits]) options.say(line)
  return {
    findings: judged.findings,
    facts: [['restarts', String(count)], ...judged.facts, ['SIGTERM → exit', spread(rollMs)]],
    checks: [
      ...judged.checks,
      none('sessions cut', cut),
      none('sockets lost before there was another', lost),
      none('closes with code 1006', abnormal),
      none('exits other than 0', wrongExits),
    ],
  }
}
