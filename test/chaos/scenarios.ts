// What `npm run chaos` can do, by name.

import type { Report } from './report.ts'
import { cuts } from './scenarios/cuts.ts'
import { flush } from './scenarios/flush.ts'
import { freeze } from './scenarios/freeze.ts'
import { frozenStore } from './scenarios/frozen-store.ts'
import { janitors } from './scenarios/janitors.ts'
import { kill } from './scenarios/kill.ts'
import { roll } from './scenarios/roll.ts'
import type { WorldOptions } from './world.ts'

export const scenarios: Readonly<Record<string, (options: WorldOptions) => Promise<Report>>> = {
  kill,
  cuts,
  roll,
  flush,
  janitors,
  freeze,
  store: frozenStore,
}
