import type { Ending } from '../retry.ts'
import { isCutOff, type MicProblem, type State } from '../state.ts'
import type { Words } from '../words.ts'
import { clockText } from './clock-text.ts'
import { Icon } from './icon.tsx'
import { usePanel } from './panel-context.ts'

export function EndedCard({ ended, phase }: { ended: NonNullable<State['ended']>; phase: State['phase'] }) {
  const { visit, words } = usePanel()
  const { ending, call, seconds } = ended
  const why = whyText(ending, words)
  const elsewhere = ending.code === 'replaced'
  const again = phase !== 'refused' || ending.retry !== 'never'
  return (
    <section class="card ended" data-reason={ending.reason} data-code={ending.code}>
      <span class="card-icon">
        <Icon name={call ? 'hangUp' : 'alert'} />
      </span>
      {phase !== 'refused' && !elsewhere && (seconds !== undefined || !call) && (
        <h2>
          {seconds === undefined ? words.ended : words.callEnded}
          {seconds !== undefined && <span class="card-time"> {clockText(seconds)}</span>}
        </h2>
      )}
      {why !== '' && <p>{why}</p>}
      {again && (
        <button type="button" class="primary" onClick={() => visit.retry()}>
          <Icon name={call ? 'mic' : 'wave'} />
          {elsewhere ? words.here : call && ending.reason !== 'refused' ? words.again : words.retry}
        </button>
      )}
      {phase !== 'refused' && call && !elsewhere && <p class="card-hint">{words.keepTyping}</p>}
    </section>
  )
}

function whyText({ reason, code, message }: Ending, words: Words): string {
  if (reason === 'idle') return words.idle
  if (reason === 'duration_cap') return words.cap
  if (reason === 'lost') return words.lost
  return code === undefined ? (message ?? '') : (words.problems[code] ?? message ?? words.lost)
}

/** Above the transcript: trouble with the connection, or what the gateway announced. */
export function Banner({ state }: { state: State }) {
  const { words } = usePanel()
  const { banner, trouble } = state
  if (isCutOff(state)) {
    const text = trouble?.code === undefined ? words.reconnecting : whyText(trouble, words)
    return <p class="banner reconnecting">{text}</p>
  }
  const text = banner === undefined ? undefined : words.notices[banner]
  return text === undefined ? null : <p class="banner">{text}</p>
}

export function MicCard({ problem }: { problem: MicProblem }) {
  const { visit, words } = usePanel()
  return (
    <div class="card mic-problem" role="alert" data-problem={problem}>
      <span class="card-icon">
        <Icon name="micOff" />
      </span>
      <p>{words.mic[problem]}</p>
      <div class="card-actions">
        {problem !== 'lost' && (
          <button type="button" class="secondary" onClick={() => visit.startCall()}>
            {words.retry}
          </button>
        )}
        <button
          type="button"
          class="plain"
          aria-label={words.close}
          onClick={() => visit.dispatch({ is: 'mic', problem: undefined })}
        >
          <Icon name="close" />
        </button>
      </div>
    </div>
  )
}

/** A page that was just loaded may neither listen nor speak before a hand has touched it. */
export function PausedCard() {
  const { visit, words } = usePanel()
  return (
    <div class="card paused" role="alert">
      <p>{words.paused}</p>
      <div class="card-actions">
        <button type="button" class="primary" onClick={() => visit.startCall()}>
          {words.goOn}
        </button>
        <button type="button" class="plain" aria-label={words.close} onClick={() => visit.dismissCall()}>
          <Icon name="close" />
        </button>
      </div>
    </div>
  )
}
