import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { usageQuery } from '../../api/queries.ts'
import { useScope } from '../../api/scope.tsx'
import { count, credits, dayLabel, spoken } from '../../ui/format.ts'
import { Section } from '../../ui/page.tsx'
import { Loading, ProblemBox } from '../../ui/states.tsx'
import { BarChart } from './bar-chart.tsx'
import { byDay, type DayTotal, lastDays } from './usage-by-day.ts'

const ranges = [7, 30, 90] as const

export function Usage() {
  const [length, setLength] = useState<number>(30)
  const days = useMemo(() => lastDays(Date.now(), length), [length])
  const usage = useQuery(usageQuery(useScope(), days[0] ?? '', days.at(-1) ?? ''))
  const totals = useMemo(() => byDay(days, usage.data?.days ?? []), [days, usage.data])
  const choice = (
    <fieldset className="segments">
      <legend className="sr">Range</legend>
      {ranges.map((range) => (
        <button key={range} type="button" aria-pressed={range === length} onClick={() => setLength(range)}>
          {range} days
        </button>
      ))}
    </fieldset>
  )
  return (
    <Section title="Usage" actions={choice}>
      {usage.isPending && <Loading rows={4} />}
      {usage.isError && <ProblemBox error={usage.error} onRetry={() => void usage.refetch()} />}
      {usage.isSuccess && <Charts totals={totals} />}
    </Section>
  )
}

function Charts({ totals }: { totals: readonly DayTotal[] }) {
  const seconds = totals.reduce((sum, total) => sum + total.seconds, 0)
  const micro = totals.reduce((sum, total) => sum + total.creditsMicro, 0)
  const label = (total: DayTotal) => `${dayLabel(total.day)} · ${count(total.sessions)} sessions`
  const talk = totals.map((total) => ({
    key: total.day,
    day: dayLabel(total.day),
    label: label(total),
    value: total.seconds,
    text: spoken(total.seconds),
  }))
  const spent = totals.map((total) => ({
    key: total.day,
    day: dayLabel(total.day),
    label: label(total),
    value: total.creditsMicro,
    text: credits(total.creditsMicro),
  }))
  return (
    <>
      <div className="charts">
        <BarChart title="Talk time" total={spoken(seconds)} bars={talk} tone="accent" />
        <BarChart title="Credits used" total={credits(micro)} bars={spent} tone="tool" />
      </div>
      <DayTable totals={totals} />
    </>
  )
}

function DayTable({ totals }: { totals: readonly DayTotal[] }) {
  const busy = totals.filter((total) => total.sessions > 0).toReversed()
  return (
    <details className="day-table">
      <summary>Show as a table</summary>
      <table className="table">
        <caption className="sr">Usage per day</caption>
        <thead>
          <tr>
            <th scope="col">Day</th>
            <th scope="col" className="end">
              Sessions
            </th>
            <th scope="col" className="end">
              Talk time
            </th>
            <th scope="col" className="end">
              Credits
            </th>
          </tr>
        </thead>
        <tbody>
          {busy.map((total) => (
            <tr key={total.day}>
              <th scope="row">{dayLabel(total.day)}</th>
              <td className="end number">{count(total.sessions)}</td>
              <td className="end number">{spoken(total.seconds)}</td>
              <td className="end number">{credits(total.creditsMicro)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  )
}
