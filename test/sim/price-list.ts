// The prices of a simulated world, with an edit in half of them.

import type { Doc } from '../../gateway/embedded/value.ts'
import type { Random } from '../chaos/random.ts'
import type { Scheduler } from './scheduler.ts'
import type { SimStore } from './sim-store.ts'
import { tokenMeter } from './truth.ts'

export interface PriceListOptions {
  readonly scheduler: Scheduler
  readonly store: SimStore
  readonly random: Random
  readonly untilMs: number
  /** Wall time of the store. */
  readonly now: () => number
  readonly note: (line: string) => void
}

export function openPrices({ scheduler, store, random, untilMs, now, note }: PriceListOptions): void {
  store.insert('prices', row('sim@1', 0, { secondMicro: 40_000, tokenMicro: 5_000 }), 'operator')
  // Gateways whose clocks are wrong may see it early or late; a session keeps what it began with.
  if (random.next() < 0.5)
    scheduler.at(random.next() * untilMs, () => {
      store.insert('prices', row('sim@2', now(), { secondMicro: 90_000, tokenMicro: 20_000 }), 'operator')
      note('price edit')
    })
}

function row(
  id: string,
  fromMs: number,
  { secondMicro, tokenMicro }: { secondMicro: number; tokenMicro: number },
): Doc {
  return {
    _id: id,
    ...{ engine: 'demo', model: 'sim', effectiveFrom: new Date(fromMs) },
    ...{ secondMicro, holdSecondMicro: 100_000, costKnown: false },
    meters: [
      { meter: tokenMeter, micro: tokenMicro },
      { meter: 'tool.lookup.calls', micro: 250_000 },
      { meter: 'session.messages', micro: 10_000 },
    ].map(({ meter, micro }) => ({
      meter,
      creditMicroPerMillion: micro * 1_000_000,
      costUsdMicroPerMillion: null,
    })),
  }
}
