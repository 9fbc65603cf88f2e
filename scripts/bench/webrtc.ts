// Calls over WebRTC: what one costs the gateway, and how long a sound takes. Beside the table, not in it: audio that went
// through a codec carries no stamps, so nothing here compares with a relay.

import { setTimeout as sleep } from 'node:timers/promises'
import { callersReport, nothing, opened, usage } from './calls.ts'
import { type Rig, start } from './cell.ts'
import { Child } from './child.ts'
import type { Percentiles } from './samples.ts'
import { nowUs } from './wire.ts'

export interface Calls {
  readonly calls: number
  readonly answered: number
  /** µs. */
  readonly connect: Percentiles
  /** From the event that says so to the sound, at the caller: codec, jitter buffer and the way. */
  readonly sound: Percentiles
  readonly gaps: number
  readonly corePercentPerCall: number
  readonly mainPercentPerCall: number
  readonly kibPerCall: number
  readonly errors: readonly string[]
}

const rampPerSecond = 10
const warmMs = 4_000

export async function measureCalls(rig: Rig, calls: number): Promise<Calls> {
  const running = await start(rig, 'parley', calls)
  const callers = await Child.start('callers.ts')
  try {
    await rig.upstream.call('begin', nothing)
    const idle = await running.process?.call('usage', usage)
    const url = running.url.replace(/^ws/, 'http').replace(/\/v1\/.*$/, '')
    const { keys } = running
    const { connect } = await callers.call('open', opened, { url, keys, sessions: calls, rampPerSecond })
    await sleep(warmMs)
    const fromUs = nowUs()
    await callers.call('window', nothing, { fromUs, toUs: fromUs + rig.seconds * 1e6 })
    const before = await running.process?.call('usage', usage)
    await sleep(rig.seconds * 1000)
    const after = await running.process?.call('usage', usage)
    const { sound, gaps, callers: answered, errors } = await callers.call('report', callersReport)
    await callers.call('close', nothing)
    const share = (key: 'cpuUs' | 'mainUs'): number =>
      (100 * ((after?.[key] ?? Number.NaN) - (before?.[key] ?? Number.NaN))) / (nowUs() - fromUs) / calls
    return {
      calls,
      answered,
      connect,
      sound,
      gaps,
      corePercentPerCall: share('cpuUs'),
      mainPercentPerCall: share('mainUs'),
      kibPerCall: ((after?.rssBytes ?? Number.NaN) - (idle?.rssBytes ?? Number.NaN)) / 1024 / calls,
      errors,
    }
  } finally {
    await callers.end()
    await running.end()
  }
}

const ms = ({ p50, p95 }: Percentiles): string => `${Math.round(p50 / 1000)} / ${Math.round(p95 / 1000)} ms`

export function lineOf(of: Calls): string {
  return [
    `webrtc: ${of.answered} of ${of.calls} calls, connect p50/p95 ${ms(of.connect)}`,
    `start of an answer to its sound ${ms(of.sound)}, gaps ${of.gaps}`,
    `a call keeps ${of.corePercentPerCall.toFixed(1)} % of a core busy (main thread ${of.mainPercentPerCall.toFixed(1)} %), ${Math.round(of.kibPerCall)} KiB`,
  ].join('; ')
}
