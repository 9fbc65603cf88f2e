import { useEffect, useRef } from 'preact/hooks'
import type { Activity } from '../state.ts'
import { usePanel } from './panel-context.ts'

/** Speech is quiet in numbers: an RMS of 0.2 is loud. */
const gain = 5
/** Share of the old level that stays per picture: rises at once, falls softly. */
const decay = 0.86

export function Orb({ activity, muted }: { activity: Activity; muted: boolean }) {
  const { visit } = usePanel()
  const orb = useRef<HTMLDivElement>(null)
  useEffect(() => {
    let level = 0
    let frame = 0
    const draw = (): void => {
      const heard = Math.max(visit.outputLevel, visit.micLevel)
      level = Math.max(Math.min(1, heard * gain), level * decay)
      orb.current?.style.setProperty('--level', level.toFixed(3))
      frame = requestAnimationFrame(draw)
    }
    draw()
    return () => cancelAnimationFrame(frame)
  }, [visit])
  return (
    <div class="orb" ref={orb} data-activity={activity} data-muted={muted} aria-hidden="true">
      <i />
      <i />
      <i />
    </div>
  )
}
