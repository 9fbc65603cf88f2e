import { absolute, clock, relative, spoken } from './format.ts'
import { useNow } from './now.ts'

/** Relative, with the absolute time on hover. */
export function Time({ at }: { at: string }) {
  const nowMs = useNow(15_000)
  return (
    <time dateTime={at} title={absolute(at)}>
      {relative(at, nowMs)}
    </time>
  )
}

/** Ticks while `endedAt` is missing. */
export function Duration({ startedAt, endedAt }: { startedAt: string; endedAt: string | undefined }) {
  return endedAt === undefined ? <Ticking since={startedAt} /> : <Fixed startedAt={startedAt} endedAt={endedAt} />
}

function Fixed({ startedAt, endedAt }: { startedAt: string; endedAt: string }) {
  const seconds = (Date.parse(endedAt) - Date.parse(startedAt)) / 1000
  return <span title={spoken(seconds)}>{clock(seconds)}</span>
}

function Ticking({ since }: { since: string }) {
  const nowMs = useNow(1_000)
  return <span>{clock((nowMs - Date.parse(since)) / 1000)}</span>
}
