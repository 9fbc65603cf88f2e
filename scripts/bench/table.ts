// What the bench found: repeats joined to rows, and rows printed as one table.

import { availableParallelism, cpus } from 'node:os'
import type { Cell, Target } from './cell.ts'
import { median, type Percentiles } from './samples.ts'

export interface Row {
  readonly target: Target
  readonly sessions: number
  readonly up: Percentiles
  readonly down: Percentiles
  /** µs over direct; undefined when direct was not run. */
  readonly addedUp: Pick<Percentiles, 'p50' | 'p99'> | undefined
  readonly addedDown: Pick<Percentiles, 'p50' | 'p99'> | undefined
  readonly connectP50Us: number
  readonly cpuUsPerMessage: number | undefined
  /** Of the thread that relays, without the worker of the embedded store. */
  readonly mainUsPerMessage: number | undefined
  /** CPU over the bare relay's of the same repeat. */
  readonly ratioToRelay: number | undefined
  readonly rssMiB: number | undefined
  readonly kibPerSession: number | undefined
  readonly lost: number
  readonly doubled: number
  readonly reordered: number
  readonly errors: number
}

export type Repeat = readonly Cell[]

function perMessage(cell: Cell | undefined, key: 'cpuUs' | 'mainUs' = 'cpuUs'): number | undefined {
  const spentUs = cell?.[key]
  return cell === undefined || spentUs === undefined ? undefined : spentUs / Math.max(1, cell.messages)
}

function joined(all: readonly Percentiles[]): Percentiles {
  const of = (key: 'p50' | 'p95' | 'p99') => median(all.map((each) => each[key]))
  return { count: all.reduce((sum, { count }) => sum + count, 0), p50: of('p50'), p95: of('p95'), p99: of('p99') }
}

const defined = (value: number | undefined): value is number => value !== undefined
const medianOf = (values: readonly (number | undefined)[]): number | undefined => {
  const known = values.filter(defined)
  return known.length === 0 ? undefined : median(known)
}

export function rowOf(repeats: readonly Repeat[], target: Target, sessions: number): Row | undefined {
  const pick = (repeat: Repeat, name: Target) =>
    repeat.find((cell) => cell.target === name && cell.sessions === sessions)
  const cells = repeats.flatMap((repeat) => pick(repeat, target) ?? [])
  if (cells.length === 0) return undefined
  const direct = target === 'direct' ? [] : repeats.flatMap((repeat) => pick(repeat, 'direct') ?? [])
  const up = joined(cells.map((cell) => cell.up))
  const down = joined(cells.map((cell) => cell.down))
  const added = (own: Percentiles, key: 'up' | 'down') => {
    const base = joined(direct.map((cell) => cell[key]))
    return direct.length === 0 ? undefined : { p50: own.p50 - base.p50, p99: own.p99 - base.p99 }
  }
  const ratios = repeats.map((repeat) => {
    const [own, relay] = [perMessage(pick(repeat, target)), perMessage(pick(repeat, 'ws-relay'))]
    return own === undefined || relay === undefined ? undefined : own / relay
  })
  const grown = cells.map((cell) => (cell.loadedBytes ?? Number.NaN) - (cell.idleBytes ?? Number.NaN))
  const sum = (key: 'lost' | 'doubled' | 'reordered') => cells.reduce((all, cell) => all + cell[key], 0)
  const rss = medianOf(cells.map((cell) => cell.loadedBytes))
  return {
    target,
    sessions,
    up,
    down,
    addedUp: added(up, 'up'),
    addedDown: added(down, 'down'),
    connectP50Us: median(cells.map((cell) => cell.connect.p50)),
    cpuUsPerMessage: medianOf(cells.map((cell) => perMessage(cell))),
    mainUsPerMessage: medianOf(cells.map((cell) => perMessage(cell, 'mainUs'))),
    ratioToRelay: medianOf(ratios),
    rssMiB: rss === undefined ? undefined : rss / 2 ** 20,
    kibPerSession: rss === undefined ? undefined : median(grown) / 1024 / sessions,
    lost: sum('lost'),
    doubled: sum('doubled'),
    reordered: sum('reordered'),
    errors: cells.reduce((all, cell) => all + cell.errors.length, 0),
  }
}

const whole = (value: number | undefined): string => (value === undefined ? '-' : String(Math.round(value)))
const fixed = (value: number | undefined, digits: number): string => (value === undefined ? '-' : value.toFixed(digits))
const three = ({ p50, p95, p99 }: Percentiles): string => [p50, p95, p99].map(whole).join(' / ')
const two = (each: { p50: number; p99: number } | undefined): string =>
  each === undefined ? '-' : [each.p50, each.p99].map((us) => `${us < 0 ? '' : '+'}${whole(us)}`).join(' / ')

const columns: readonly (readonly [title: string, cell: (row: Row) => string])[] = [
  ['target', (row) => row.target],
  ['sessions', (row) => String(row.sessions)],
  ['uplink p50/p95/p99 µs', (row) => three(row.up)],
  ['added p50/p99', (row) => two(row.addedUp)],
  ['downlink p50/p95/p99 µs', (row) => three(row.down)],
  ['added p50/p99', (row) => two(row.addedDown)],
  ['connect p50 µs', (row) => whole(row.connectP50Us)],
  ['CPU µs/msg', (row) => fixed(row.cpuUsPerMessage, 1)],
  ['main thread', (row) => fixed(row.mainUsPerMessage, 1)],
  ['to ws-relay', (row) => fixed(row.ratioToRelay, 2)],
  ['RSS MiB', (row) => whole(row.rssMiB)],
  ['KiB/session', (row) => whole(row.kibPerSession)],
  ['lost/doubled/reordered', (row) => `${row.lost} / ${row.doubled} / ${row.reordered}`],
]

export function tableOf(rows: readonly Row[]): string {
  const lines = [columns.map(([title]) => title), ...rows.map((row) => columns.map(([, cell]) => cell(row)))]
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)))
  const print = (line: readonly string[]) => `| ${line.map((text, i) => text.padEnd(widths[i] ?? 0)).join(' | ')} |`
  const [title = [], ...rest] = lines
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`
  return [print(title), rule, ...rest.map(print)].join('\n')
}

export interface Machine {
  readonly node: string
  readonly cores: number
  readonly cpu: string
  readonly platform: string
}

export function machine(): Machine {
  return {
    node: process.version,
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    platform: `${process.platform} ${process.arch}`,
  }
}
