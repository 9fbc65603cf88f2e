// SIGKILL at random points: the peer takes over, the killed gateway comes back.

import { percentile } from '../record.ts'
import { atMost, comebackMs, type Report, soundMs, spread } from '../report.ts'
import { other, sleep, type Visitor, World, type WorldOptions } from '../world.ts'

const clients = 10
const voices = 4
/** A session with hundreds of takeovers and a thousand turns is none that anybody has. */
const killsPerSession = 20

export async function kill(options: WorldOptions): Promise<Report> {
  const count = options.count ?? 200
  await using world = await World.start(options)
  const { random, gateways } = world
  await world.populate(clients, { voice: voices, thinkMs: [100, 1_500] })
  for (let i = 1; i <= count; i++) {
    await sleep(random.between(200, 3_000))
    const victim = world.busiest
    await gateways.ready(other(victim))
    // Some clients move by themselves, so that both gateways have sessions that were the other's.
    if (random.next() < 0.5) for (const { line } of world.visitors) if (random.next() < 0.3) line.reset()
    await sleep(random.between(0, 1_500))
    await gateways.kill(victim)
    await gateways.start(victim)
    if (i % killsPerSession === 0) await renewAll(world)
    if (i % 10 === 0 || i === count) options.say(`${i} of ${count} kills`)
  }
  const judged = await world.conclude({ unbilledPerLossS: 15, graceS: 6 })
  const [text, voice, sound] = [
    comebackMs(world.records, 'text'),
    comebackMs(world.records, 'voice'),
    soundMs(world.records),
  ]
  return {
    findings: judged.findings,
    facts: [
      ['kills', String(count)],
      ...judged.facts,
      ['text: loss → session', spread(text)],
      ['voice: loss → session', spread(voice)],
      ['voice: loss → first sound', spread(sound)],
    ],
    checks: [
      ...judged.checks,
      atMost('text resumed, p95', percentile(text, 0.95), 1_500),
      atMost('voice heard again, p95', percentile([...sound], 0.95), 3_000),
    ],
  }
}

async function renewAll({ visitors, until }: World): Promise<void> {
  const before = visitors.map(({ client }) => client.sessionId)
  for (const { client } of visitors) client.renew()
  const isNew = ({ client }: Visitor, i: number): boolean => client.live && client.sessionId !== before[i]
  await until(() => visitors.every(isNew), 30_000, 'every client has its next session')
}
