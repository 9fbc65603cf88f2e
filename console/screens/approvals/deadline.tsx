import { absolute } from '../../ui/format.ts'
import { useNow } from '../../ui/now.ts'
import { isSoon, remaining } from './remaining.ts'

export function Deadline({ at }: { at: string }) {
  const nowMs = useNow(1_000)
  return (
    <time className="deadline number" dateTime={at} title={absolute(at)} data-soon={isSoon(at, nowMs) || undefined}>
      {remaining(at, nowMs)}
    </time>
  )
}
