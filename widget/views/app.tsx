import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { State } from '../state.ts'
import { Banner, EndedCard, MicCard, PausedCard } from './cards.tsx'
import { Composer } from './composer.tsx'
import { Header } from './header.tsx'
import { type PanelContext, PanelProvider, usePanel } from './panel-context.ts'
import { Stage } from './stage.tsx'
import { Transcript } from './transcript.tsx'

export function App(panel: PanelContext) {
  const [state, setState] = useState(panel.visit.state)
  // Before the first picture: what happens between rendering and an ordinary effect would be missed.
  useLayoutEffect(() => {
    setState(panel.visit.state)
    return panel.visit.subscribe(setState)
  }, [panel.visit])
  return (
    <PanelProvider value={panel}>
      <Panel state={state} />
    </PanelProvider>
  )
}

function Panel({ state }: { state: State }) {
  const { close } = usePanel()
  const field = useRef<HTMLTextAreaElement>(null)
  useKeys(close)
  useEffect(() => {
    if (state.visible && !isTouch() && document.hasFocus()) field.current?.focus()
  }, [state.visible])
  if (state.phase === 'refused' && state.ended !== undefined)
    return (
      <main class="panel refused">
        <Header state={state} />
        <EndedCard ended={state.ended} phase={state.phase} />
      </main>
    )
  return (
    <main class="panel" data-call={state.call}>
      <Header state={state} />
      <Banner state={state} />
      {state.call !== 'off' && <Stage state={state} />}
      <Transcript state={state} />
      <div class="sr" aria-live="polite">
        {state.announce}
      </div>
      <footer class="foot">
        {state.mic !== undefined && <MicCard problem={state.mic} />}
        {state.paused && <PausedCard />}
        <Suggestions state={state} />
        <Composer state={state} field={field} />
        <Consent state={state} />
      </footer>
    </main>
  )
}

/** Quick replies, until the person has said something. */
function Suggestions({ state }: { state: State }) {
  const { visit, words } = usePanel()
  const suggestions = state.boot?.texts.suggestions ?? []
  const spoke = state.lines.some((line) => line.role === 'user' && !line.past)
  if (suggestions.length === 0 || spoke || state.call !== 'off' || state.ended !== undefined) return null
  return (
    <fieldset class="suggestions" aria-label={words.suggestions}>
      {suggestions.map((text) => (
        <button key={text} type="button" onClick={() => visit.say(text)}>
          {text}
        </button>
      ))}
    </fieldset>
  )
}

/** One line before the first call; whoever talks has read it. */
function Consent({ state }: { state: State }) {
  const text = state.boot?.texts.consent ?? ''
  return text === '' || state.call !== 'off' ? null : <p class="consent">{text}</p>
}

/** Escape closes; in a frame, Tab goes round instead of falling into the page behind. */
function useKeys(close: (() => void) | undefined): void {
  useEffect(() => {
    if (close === undefined) return
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && !event.isComposing) close()
      if (event.key !== 'Tab') return
      const stops = [
        ...document.querySelectorAll<HTMLElement>('button:not(:disabled), textarea, a[href], [tabindex="0"]'),
      ]
      const [first, last] = [stops[0], stops.at(-1)]
      if (event.shiftKey && document.activeElement === first) {
        event.preventDefault()
        last?.focus()
      } else if (!event.shiftKey && document.activeElement === last) {
        event.preventDefault()
        first?.focus()
      }
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [close])
}

/** On phones a focused field would raise the keyboard over the greeting. */
function isTouch(): boolean {
  return matchMedia('(pointer: coarse)').matches
}
