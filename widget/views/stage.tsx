import { useEffect, useState } from 'preact/hooks'
import { activityOf, type State } from '../state.ts'
import { clockText } from './clock-text.ts'
import { statusOf } from './header.tsx'
import { Icon, type IconName } from './icon.tsx'
import { Orb } from './orb.tsx'
import { usePanel } from './panel-context.ts'

/** The call: who speaks, for how long, and the three buttons. */
export function Stage({ state }: { state: State }) {
  const { visit, words } = usePanel()
  const { muted, captions } = state
  return (
    <section class="stage" data-captions={captions}>
      <Orb activity={activityOf(state)} muted={muted} />
      <p class="stage-status" aria-hidden="true">
        {statusOf(state, words)}
      </p>
      <CallClock since={state.callSince} />
      <div class="controls">
        <Toggle
          name="mute"
          icon={muted ? 'micOff' : 'mic'}
          label={words.mute}
          on={muted}
          onToggle={() => visit.mute(!muted)}
        />
        <Toggle
          name="captions"
          icon="captions"
          label={words.captions}
          on={captions}
          onToggle={() => visit.dispatch({ is: 'captions', on: !captions })}
        />
        <button
          type="button"
          class="control hang-up"
          aria-label={words.end}
          title={words.end}
          onClick={() => void visit.endCall()}
        >
          <Icon name="hangUp" />
        </button>
      </div>
    </section>
  )
}

interface ToggleProps {
  readonly name: string
  readonly icon: IconName
  readonly label: string
  readonly on: boolean
  readonly onToggle: () => void
}

function Toggle({ name, icon, label, on, onToggle }: ToggleProps) {
  return (
    <button
      type="button"
      class={`control ${name}`}
      aria-label={label}
      title={label}
      aria-pressed={on}
      onClick={onToggle}
    >
      <Icon name={icon} />
    </button>
  )
}

function CallClock({ since }: { since: number | undefined }) {
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [])
  return <p class="call-clock">{since === undefined ? ' ' : clockText(Math.max(0, (now - since) / 1000))}</p>
}
