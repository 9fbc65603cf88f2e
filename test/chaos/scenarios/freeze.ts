// A gateway stops breathing, its peer takes over, then it wakes up: it must not go on.

import type { Client } from '../client.ts'
import { atMost, none, type Report } from '../report.ts'
import { other, sleep, World, type WorldOptions } from '../world.ts'

const lengthsS = [30, 5, 60] as const
const clients = 8

export async function freeze(options: WorldOptions): Promise<Report> {
  const count = options.count ?? 9
  await using world = await World.start(options)
  await world.populate(clients, { voice: 3, thinkMs: [300, 2_000] })
  const stayed: string[] = []
  const closingMs: number[] = []
  for (let i = 0; i < count; i++) {
    await sleep(world.random.between(1_000, 5_000))
    const seconds = options.count === 1 ? 16 : (lengthsS[i % lengthsS.length] ?? 30)
    const victim = world.busiest
    await world.gateways.ready(other(victim))
    world.gateways.freeze(victim)
    const frozenAtMs = performance.now()
    await sleep(seconds * 1_000)
    const moved = world.visitors
      .filter(({ client }) => hasMoved(client, frozenAtMs))
      .map(({ client }) => client.record.name)
    const thawedAtMs = performance.now()
    world.gateways.thaw(victim)
    await sleep(3_000)
    for (const upstream of world.engine.upstreams) {
      if (upstream.gateway !== victim || upstream.openedAtMs > frozenAtMs) continue
      const name = [...upstream.clients].find((each) => moved.includes(each))
      if (name === undefined || (upstream.closedAtMs ?? thawedAtMs) < frozenAtMs) continue
      if (upstream.closedAtMs === undefined) stayed.push(`${victim} keeps the engine of ${name} open`)
      else closingMs.push(upstream.closedAtMs - thawedAtMs)
    }
    options.say(`${victim} frozen for ${seconds} s: ${moved.length} clients moved`)
    await world.gateways.ready(victim, 60_000)
  }
  const judged = await world.conclude({ unbilledPerLossS: 15, graceS: 16 })
  for (const line of stayed) options.say(line)
  return {
    findings: judged.findings,
    facts: [['freezes', String(count)], ...judged.facts],
    checks: [
      ...judged.checks,
      none('engines a woken gateway kept for sessions it had lost', stayed),
      atMost('such an engine was closed after waking, slowest', Math.max(...closingMs, 0), 1_000),
    ],
  }
}

function hasMoved({ record }: Client, sinceMs: number): boolean {
  const last = record.comebacks.at(-1)
  return last !== undefined && last.lostAtMs > sinceMs && last.backAtMs !== undefined
}
