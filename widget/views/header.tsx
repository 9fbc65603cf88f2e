import { activityOf, isCutOff, type State } from '../state.ts'
import type { Words } from '../words.ts'
import { Icon } from './icon.tsx'
import { usePanel } from './panel-context.ts'

export function Header({ state }: { state: State }) {
  const { words, close } = usePanel()
  const { boot } = state
  const title = boot?.brand.title
  return (
    <header class="header">
      <Avatar title={title ?? ''} logoUrl={boot?.brand.logoUrl} />
      <div class="header-text">
        <h1>{title ?? <span class="sr">{words.messages}</span>}</h1>
        <output class="status" data-activity={activityOf(state)} data-phase={state.phase}>
          {statusOf(state, words)}
        </output>
      </div>
      {state.engine?.demo === true && <span class="chip">{words.demo}</span>}
      {close !== undefined && (
        <button type="button" class="plain" aria-label={words.close} onClick={close}>
          <Icon name="close" />
        </button>
      )}
    </header>
  )
}

function Avatar({ title, logoUrl }: { title: string; logoUrl: string | undefined }) {
  return (
    <div class="avatar" aria-hidden="true">
      {logoUrl === undefined ? [...title][0] : <img src={logoUrl} alt="" width={40} height={40} />}
    </div>
  )
}

export function statusOf(state: State, words: Words): string {
  if (state.phase === 'loading' || state.phase === 'refused') return ''
  if (isCutOff(state)) return words.reconnecting
  const activity = activityOf(state)
  if (activity === 'connecting') return words.connecting
  if (activity === 'thinking') return state.tools.length > 0 ? words.looking : words.thinking
  if (state.call !== 'on') return words.online
  if (activity === 'speaking') return words.speaking
  return state.muted ? words.muted : words.listening
}
