// Seeds through the simulated world: whatever happens to gateways, store, Redis and clocks, credit and words are right.

import { expect, test } from 'vitest'
import { simSeeds } from '../harness/sim-seeds.ts'
import { runSeed } from './world.ts'

const seeds = simSeeds(2_000)
const again = Math.min(200, seeds)
/** By seed, of the worlds that are run again. */
const hashes = new Map<number, string>()

test(`[L1][L4][L9][L14][L15][S5][S12][S14][S17][S20][S38][T7][T9][U8] no world of ${seeds} breaks an invariant`, {
  timeout: 3_600_000,
}, async () => {
  const startedMs = performance.now()
  const totals = new Map<string, number>()
  for (let seed = 1; seed <= seeds; seed++) {
    const { breaches, hash, log, stats } = await runSeed(seed)
    if (seed <= again) hashes.set(seed, hash)
    for (const [name, count] of Object.entries(stats)) totals.set(name, (totals.get(name) ?? 0) + count)
    if (breaches.length > 0)
      expect.fail(`seed ${seed}: ${breaches.join('; ')}\n${log.join('\n')}\nagain: npm run sim -- --seed ${seed}`)
    // Lets the runner breathe: a simulated world never gives the event loop a turn.
    await new Promise((resolve) => setImmediate(resolve))
  }
  const perSecond = seeds / ((performance.now() - startedMs) / 1000)
  process.stdout.write(
    `sim: ${seeds} seeds, ${perSecond.toFixed(1)}/s, ${[...totals].map((each) => each.join(' ')).join(', ')}\n`,
  )
  // A world in which nothing happens proves nothing.
  for (const what of [
    'deaths',
    'freezes',
    'flushes',
    'outages',
    'drains',
    'takeovers',
    'settled',
    'byJanitor',
    'expired',
    'waived',
    'replayed',
  ])
    expect(totals.get(what), what).toBeGreaterThan(0)
})

test('the same seed is the same world, to the last event', { timeout: 600_000 }, async () => {
  for (let seed = 1; seed <= again; seed++) {
    const first = hashes.get(seed) ?? (await runSeed(seed)).hash
    hashes.set(seed, first)
    expect((await runSeed(seed)).hash, `seed ${seed}`).toBe(first)
  }
  expect(new Set(hashes.values()).size, 'each world is another').toBe(again)
})
