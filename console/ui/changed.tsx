import type { Difference } from './json.ts'
import './changed.css'

/** Field by field: what was, struck through by colour, and what is now. */
export function Changed({ changes, label = 'What differs' }: { changes: readonly Difference[]; label?: string }) {
  return (
    <ul className="changes" aria-label={label}>
      {changes.map((change) => (
        <li key={change.field}>
          <code>{change.field}</code>
          {change.before !== undefined && (
            <del>
              <span className="sr">before: </span>
              {shown(change.before)}
            </del>
          )}
          {change.after !== undefined && (
            <ins>
              <span className="sr">after: </span>
              {shown(change.after)}
            </ins>
          )}
        </li>
      ))}
    </ul>
  )
}

function shown(value: unknown): string {
  if (value === '') return '(empty)'
  return typeof value === 'string' ? value : JSON.stringify(value, null, 1)
}
