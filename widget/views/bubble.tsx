import type { Line } from '../lines.ts'
import { Icon } from './icon.tsx'
import { Markdown } from './markdown.tsx'
import { usePanel } from './panel-context.ts'

/** `follows`: the same side spoke before. */
export function Bubble({ line, follows }: { line: Line; follows: boolean }) {
  const { words, visit } = usePanel()
  if (line.role === 'note') return <p class="note">{noteText(line, words.notices)}</p>
  const unheard =
    line.unheard === '' ? undefined : (
      <span class="unheard" title={words.unheard}>
        <span class="sr"> {words.unheard}: </span> <s>{line.unheard}</s>
      </span>
    )
  return (
    <div
      class={`bubble ${line.role}${follows ? ' follows' : ''}`}
      data-item={line.itemId}
      data-state={line.state}
      data-past={line.past}
    >
      <span class="sr">{line.role === 'user' ? words.you : visit.state.boot?.agent.name}: </span>
      {line.role === 'agent' ? <Markdown text={line.text} tail={unheard} /> : <p>{line.text}</p>}
      {line.state === 'waiting' && <span class="sending">{words.sending}</span>}
      {line.state === 'unsent' && (
        <button type="button" class="unsent" onClick={() => visit.retry()}>
          <Icon name="alert" />
          {words.unsent} · {words.retry}
        </button>
      )}
    </div>
  )
}

/** `note:<code>[:n]` */
function noteText(line: Line, notices: Readonly<Record<string, string | undefined>>): string {
  return notices[line.itemId.split(':')[1] ?? ''] ?? line.text
}
