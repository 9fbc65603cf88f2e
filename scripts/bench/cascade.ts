// Talks with a cascade: how long a caller waits for the first sound, and what a talk costs the gateway. Beside the table: a
// cascade makes its own turns and sound, so nothing here compares with a relay.

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { nothing, opened, speakersReport, usage } from './calls.ts'
import { Child, remove, willRemove } from './child.ts'
import type { Percentiles } from './samples.ts'
import { nowUs } from './wire.ts'

export interface Talks {
  readonly talks: number
  readonly speaking: number
  /** µs. */
  readonly connect: Percentiles
  /** From the last sound of the speech to the first one of the answer, the detector's silence of 600 ms included. */
  readonly wait: Percentiles
  readonly corePercentPerTalk: number
  readonly kibPerTalk: number
  readonly errors: readonly string[]
}

const rampPerSecond = 10
const warmMs = 4_000

export async function measureTalks(talks: number, seconds: number): Promise<Talks> {
  const dataDir = willRemove(mkdtempSync(join(tmpdir(), 'parley-bench-')))
  const provider = await Child.start('cascade-provider.ts')
  const gateway = await Child.start('gateway.ts', [provider.ready.url, dataDir, String(talks), 'cascade'])
  const speakers = await Child.start('speakers.ts')
  try {
    const idle = await gateway.call('usage', usage)
    const { connect } = await speakers.call('open', opened, { ...gateway.ready, sessions: talks, rampPerSecond })
    await sleep(warmMs)
    const fromUs = nowUs()
    await speakers.call('window', nothing, { fromUs, toUs: fromUs + seconds * 1e6 })
    const before = await gateway.call('usage', usage)
    await sleep(seconds * 1000)
    const after = await gateway.call('usage', usage)
    const { wait, speakers: speaking, errors } = await speakers.call('report', speakersReport)
    await speakers.call('close', nothing)
    return {
      talks,
      speaking,
      connect,
      wait,
      corePercentPerTalk: (100 * (after.cpuUs - before.cpuUs)) / (nowUs() - fromUs) / talks,
      kibPerTalk: (after.rssBytes - idle.rssBytes) / 1024 / talks,
      errors,
    }
  } finally {
    await speakers.end()
    await gateway.end()
    await provider.end()
    remove(dataDir)
  }
}

const ms = ({ p50, p95 }: Percentiles): string => `${Math.round(p50 / 1000)} / ${Math.round(p95 / 1000)} ms`

export function talkLineOf(of: Talks): string {
  return [
    `cascade: ${of.speaking} of ${of.talks} talks, connect p50/p95 ${ms(of.connect)}`,
    `end of speech to the first sound ${ms(of.wait)}`,
    `a talk keeps ${of.corePercentPerTalk.toFixed(1)} % of a core busy, ${Math.round(of.kibPerTalk)} KiB`,
  ].join('; ')
}
