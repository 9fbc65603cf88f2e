// One measurement: one target, so many sessions, one window.

import { mkdtempSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type LoadReport, loadReport, nothing, opened, type UpstreamReport, upstreamReport, usage } from './calls.ts'
import { Child, remove, willRemove } from './child.ts'
import type { Percentiles } from './samples.ts'
import { nowUs } from './wire.ts'

export const targets = ['direct', 'ws-relay', 'parley'] as const
export type Target = (typeof targets)[number]

export interface Rig {
  readonly upstream: Child
  readonly load: Child
  readonly seconds: number
  /** Where the gateway writes CPU profiles; undefined: none. */
  readonly profileDir: string | undefined
}

export interface Cell {
  readonly target: Target
  readonly sessions: number
  /** µs. */
  readonly connect: Percentiles
  readonly up: Percentiles
  readonly down: Percentiles
  /** Relayed in the window, both ways. */
  readonly messages: number
  /** Of the target's process and of its main thread; undefined without one. */
  readonly cpuUs: number | undefined
  readonly mainUs: number | undefined
  readonly idleBytes: number | undefined
  readonly loadedBytes: number | undefined
  /** Cores kept busy by everything that is not the bench. */
  readonly foreignCores: number
  readonly lost: number
  readonly doubled: number
  readonly reordered: number
  readonly errors: readonly string[]
}

const rampPerSecond = 100
/** Half the sessions speak from 3 s after the first on; by then the code is compiled too. */
const warmMs = 3_000
const drainTries = 10
const drainMs = 500

interface Running {
  readonly url: string
  readonly keys: readonly string[]
  readonly process: Child | undefined
  end(): Promise<void>
}

export async function start(rig: Rig, target: Target, sessions: number): Promise<Running> {
  const { url } = rig.upstream.ready
  if (target === 'direct') return { url, keys: [], process: undefined, end: async () => {} }
  if (target === 'ws-relay') {
    const relay = await Child.start('relay.ts', [url])
    return { ...relay.ready, process: relay, end: () => relay.end() }
  }
  const dataDir = willRemove(mkdtempSync(join(tmpdir(), 'parley-bench-')))
  const provider = url.replace(/^ws/, 'http').replace(/\/realtime.*$/, '')
  const profile = rig.profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${rig.profileDir}`]
  const gateway = await Child.start('gateway.ts', [provider, dataDir, String(sessions)], profile)
  const end = async (): Promise<void> => {
    await gateway.end()
    remove(dataDir)
  }
  return { ...gateway.ready, process: gateway, end }
}

export async function measure(rig: Rig, target: Target, sessions: number): Promise<Cell> {
  const running = await start(rig, target, sessions)
  try {
    await rig.upstream.call('begin', nothing)
    const idleBytes = (await running.process?.call('usage', usage))?.rssBytes
    const { url, keys } = running
    const { connect } = await rig.load.call('open', opened, { url, keys, sessions, rampPerSecond })
    await sleep(warmMs)
    const spent = await runWindow(rig, running.process)
    const end = await drain(rig)
    await rig.load.call('close', nothing)
    return { target, sessions, connect, idleBytes, ...spent, ...end }
  } finally {
    await running.end()
  }
}

type Spent = Pick<Cell, 'cpuUs' | 'mainUs' | 'loadedBytes' | 'foreignCores'>

async function runWindow(rig: Rig, target: Child | undefined): Promise<Spent> {
  const fromUs = nowUs() + 100_000
  const toUs = fromUs + rig.seconds * 1e6
  await Promise.all([rig.upstream, rig.load].map((each) => each.call('window', nothing, { fromUs, toUs })))
  const all = [rig.upstream, rig.load, ...(target === undefined ? [] : [target])]
  const read = async () => {
    const busyUs = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) * 1000
    const readings = await Promise.all(all.map((each) => each.call('usage', usage)))
    return { busyUs, readings, ownUs: readings.reduce((sum, each) => sum + each.cpuUs, 0) }
  }
  await sleep((fromUs - nowUs()) / 1000)
  const before = await read()
  await sleep((toUs - nowUs()) / 1000)
  const after = await read()
  const [then, now] = [before.readings[2], after.readings[2]]
  const foreignUs = after.busyUs - before.busyUs - (after.ownUs - before.ownUs)
  const spent = (key: 'cpuUs' | 'mainUs') =>
    then === undefined || now === undefined ? undefined : now[key] - then[key]
  return {
    cpuUs: spent('cpuUs'),
    mainUs: spent('mainUs'),
    loadedBytes: now?.rssBytes,
    foreignCores: Math.max(0, foreignUs / (toUs - fromUs)),
  }
}

type End = Pick<Cell, 'up' | 'down' | 'messages' | 'lost' | 'doubled' | 'reordered' | 'errors'>

/** Nothing is sent any more: what was sent arrives, or is lost. */
async function drain(rig: Rig): Promise<End> {
  await rig.load.call('hush', nothing)
  await rig.upstream.call('hush', nothing)
  let end: End | undefined
  for (let i = 0; i < drainTries && (end === undefined || end.lost !== 0); i++) {
    await sleep(drainMs)
    end = compare(await rig.upstream.call('report', upstreamReport), await rig.load.call('report', loadReport))
  }
  if (end === undefined) throw new Error('no report')
  return end
}

function compare(provider: UpstreamReport, load: LoadReport): End {
  const ofWho = new Map(provider.connections.map((each) => [each.who, each]))
  const errors = [...provider.errors, ...load.errors]
  const sum = { lost: 0, doubled: 0, reordered: 0 }
  for (const client of load.clients) {
    const connection = ofWho.get(client.who)
    if (connection === undefined || (client.connection !== -1 && client.connection !== connection.connection)) {
      errors.push(`session ${client.who} is not joined to a provider of its own`)
      continue
    }
    // More than was sent shows as a double.
    sum.lost += Math.max(0, client.sent - connection.received) + Math.max(0, connection.sent - client.received)
    sum.doubled += client.doubled + connection.doubled
    sum.reordered += client.reordered + connection.reordered
  }
  return { up: provider.up, down: load.down, messages: provider.messages + load.messages, ...sum, errors }
}
