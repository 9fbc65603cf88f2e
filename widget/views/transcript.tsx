import { useLayoutEffect, useRef } from 'preact/hooks'
import type { Line } from '../lines.ts'
import { activityOf, type State } from '../state.ts'
import { Bubble } from './bubble.tsx'
import { EndedCard } from './cards.tsx'
import { usePanel } from './panel-context.ts'
import { VisualSlot } from './visual-slot.tsx'

/** Nearer to the end than this, new lines keep the end in view. */
const stickPx = 60

export function Transcript({ state }: { state: State }) {
  const { words } = usePanel()
  const log = useRef<HTMLDivElement>(null)
  const sticks = useRef(true)
  const lines = shown(state)
  const last = lines.at(-1)
  const writes = state.phase !== 'idle' && activityOf(state) === 'thinking' && !isAnswering(last)
  useLayoutEffect(() => {
    if (last?.state === 'waiting') sticks.current = true
    if (log.current !== null && sticks.current) log.current.scrollTop = log.current.scrollHeight
  })
  return (
    <div
      class="log"
      ref={log}
      role="log"
      aria-live="off"
      aria-label={words.messages}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard.
      tabIndex={0}
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        sticks.current = scrollHeight - scrollTop - clientHeight < stickPx
      }}
    >
      {lines.map((line, at) => (
        <>
          {line.past && at === 0 && <p class="divider">{words.earlier}</p>}
          {line.visual === undefined ? (
            <Bubble key={line.itemId} line={line} follows={lines[at - 1]?.role === line.role} />
          ) : (
            <VisualSlot key={line.itemId} line={line} state={state} />
          )}
          {line.past && lines[at + 1]?.past === false && <hr class="divider" />}
        </>
      ))}
      {writes && (
        <div class="bubble agent dots" aria-hidden="true">
          <i />
          <i />
          <i />
        </div>
      )}
      {state.waiting.length > 0 && (
        <p class="divider" role="status">
          {words.approval}
        </p>
      )}
      {state.ended !== undefined && <EndedCard ended={state.ended} phase={state.phase} />}
    </div>
  )
}

/** Without captions a call shows what was written, not what is being said. */
function shown({ lines, call, captions }: State): readonly Line[] {
  return lines.filter((line) => {
    if (line.visual !== undefined) return true
    if (line.text === '' && line.unheard === '') return false
    return captions || call === 'off' || !line.voice || line.past
  })
}

function isAnswering(line: Line | undefined): boolean {
  return line?.role === 'agent' && line.state === 'partial'
}
