// How an operation refuses, and the table of all codes.

import { type ProblemKind, problems } from '../../gateway/protocol/codes.ts'
import type { Operation } from '../document.ts'
import { SchemaView } from './schema.tsx'

const all: readonly (readonly [code: string, kind: ProblemKind])[] = Object.entries(problems)

const again: Readonly<Record<ProblemKind['retry'], string>> = {
  never: 'no',
  now: 'at once',
  backoff: 'after a while',
  new_token: 'with a new token',
}

export function Refusals({ operation: { refusals, refusal } }: { operation: Operation }) {
  const statuses = refusals.filter((status) => status !== 'default')
  return (
    <section class="refusals">
      <h4>Refusals</h4>
      <ul class="statuses">
        {statuses.map((status) => (
          <li key={status}>
            <strong>{status}</strong>{' '}
            {all
              .filter(([, { http }]) => String(http) === status)
              .map(([code]) => code)
              .join(', ')}
          </li>
        ))}
        <li>
          Others as <a href="#problems">problems</a> say
        </li>
      </ul>
      {refusal === undefined ? null : (
        <details class="body">
          <summary>Body of a refusal</summary>
          <SchemaView schema={refusal} />
        </details>
      )}
    </section>
  )
}

export function ProblemTable() {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reached by the keyboard
    <section class="scroll" tabIndex={0} aria-label="Codes of problems">
      <table>
        <thead>
          <tr>
            <th scope="col">Status</th>
            <th scope="col">Code</th>
            <th scope="col">WebSocket closes with</th>
            <th scope="col">Ask again?</th>
            <th scope="col">Message, unless there is a better one</th>
          </tr>
        </thead>
        <tbody>
          {all
            .toSorted(([, a], [, b]) => a.http - b.http)
            .map(([code, { http, ws, retry, text }]) => (
              <tr key={code}>
                <td>{http}</td>
                <td>
                  <code>{code}</code>
                </td>
                <td>{ws}</td>
                <td>{again[retry]}</td>
                <td>{text}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </section>
  )
}
