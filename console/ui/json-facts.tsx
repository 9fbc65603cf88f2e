import { isObject, type JsonObject } from './json.ts'
import { labelOf } from './schema-form/shape.ts'
import './json-facts.css'

/** A JSON object as people read it: names as words, one fact a line. */
export function JsonFacts({ value, depth = 0 }: { value: JsonObject; depth?: number }) {
  const entries = Object.entries(value)
  if (entries.length === 0) return <p className="quiet">Nothing.</p>
  return (
    <dl className="json-facts">
      {entries.map(([name, each]) => (
        <div key={name} data-block={isLong(each) || undefined}>
          <dt title={name}>{labelOf(name)}</dt>
          <dd>
            <Value value={each} depth={depth} />
          </dd>
        </div>
      ))}
    </dl>
  )
}

/** Deeper than this it is shown as JSON. */
const deepest = 3

function Value({ value, depth }: { value: unknown; depth: number }) {
  if (value === null || value === undefined) return <span className="quiet">nothing</span>
  if (value === '') return <span className="quiet">empty</span>
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'number') return <span className="number">{String(value)}</span>
  if (typeof value === 'string') return <span className="json-text">{value}</span>
  if (depth >= deepest) return <code>{JSON.stringify(value)}</code>
  if (isObject(value)) return <JsonFacts value={value} depth={depth + 1} />
  const list = Array.isArray(value) ? value : []
  if (list.length === 0) return <span className="quiet">none</span>
  return (
    <ol className="json-list">
      {list.map((each, at) => (
        <li key={at}>
          <Value value={each} depth={depth + 1} />
        </li>
      ))}
    </ol>
  )
}

/** What needs a line of its own. */
function isLong(value: unknown): boolean {
  if (typeof value === 'string') return value.length > 80 || value.includes('\n')
  return Array.isArray(value) ? value.length > 0 : isObject(value)
}
