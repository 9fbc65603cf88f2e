// The network of many clients goes away for 1 to 90 s, in four ways, again and again.

import { cutKinds } from '../line.ts'
import type { Random } from '../random.ts'
import { percentile } from '../record.ts'
import { atMost, comebackMs, type Report, spread } from '../report.ts'
import { sleep, type Visitor, World, type WorldOptions } from '../world.ts'

const clientsMost = 40
const cutsPerClient = 12
/** A gateway takes a message in 256 pieces at most: a frame of 9.6 kB of audio in smaller ones is an attack. */
const sliceMost = { text: 17, voice: 160 } as const

export async function cuts(options: WorldOptions): Promise<Report> {
  const count = options.count ?? 500
  await using world = await World.start(options)
  const short = count < 20
  const clients = Math.min(clientsMost, Math.max(4, Math.ceil(count / cutsPerClient)))
  const voice = Math.ceil(clients / 4)
  const kindOf = (i: number): 'voice' | 'text' => (i < voice ? 'voice' : 'text')
  await world.populate(clients, { voice, thinkMs: [500, 3_000] })
  // A few have bad networks all the time.
  for (const [i, { line }] of world.visitors.entries()) {
    if (i % 10 === 7) line.toxics = { latencyMs: 80, jitterMs: 120 }
    if (i % 10 === 8) line.toxics = { sliceMost: kindOf(i) === 'voice' ? sliceMost.voice : sliceMost.text }
    if (i % 10 === 9) line.toxics = { bytesPerSecond: 200_000 }
  }
  let left = count
  const suffer = async ({ client, line }: Visitor, at: number): Promise<void> => {
    const random = world.random.fork(`cuts ${at}`)
    while (left-- > 0) {
      await sleep(random.between(1_500, 5_000))
      const seconds = short ? random.between(1, 3) : lengthOf(random)
      const before = client.record.attachments.length
      const kind = random.pick(cutKinds)
      world.note(`${client.record.name}: ${kind} for ${seconds} s`)
      line.cut(kind)
      // Deaf is not dumb: what such a client sends still arrives.
      if (kind !== 'half-open-down') client.muted()
      await sleep(seconds * 1_000)
      world.note(`${client.record.name}: network is back`)
      line.heal()
      client.online()
      // Who lost bytes without a sign needs two heartbeats to notice.
      const { record } = client
      await world.until(() => record.attachments.length > before && client.live, 60_000, `${record.name} is back`)
      if ((count - left) % 50 === 0) options.say(`${count - left} of ${count} cuts`)
    }
  }
  await Promise.all(world.visitors.map(suffer))
  const judged = await world.conclude({ unbilledPerLossS: 5, graceS: 6 })
  const [text, spoken] = [comebackMs(world.records, 'text'), comebackMs(world.records, 'voice')]
  return {
    findings: judged.findings,
    facts: [
      ['cuts', String(count)],
      ...judged.facts,
      ['text: network back → session', spread(text)],
      ['voice: network back → session', spread(spoken)],
    ],
    checks: [
      ...judged.checks,
      atMost('text resumed, p95', percentile(text, 0.95), 1_500),
      atMost('voice resumed, p95', percentile(spoken, 0.95), 2_500),
    ],
  }
}

function lengthOf(random: Random): number {
  const share = random.next()
  if (share < 0.6) return random.between(1, 8)
  return share < 0.85 ? random.between(8, 30) : random.between(30, 90)
}
