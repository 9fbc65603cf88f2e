// One operation: a line that opens into everything that is known about it.

import { type ApiDocument, type Content, type Operation, type Parameter, type Reply, resolved } from '../document.ts'
import { examplesOf } from '../examples.ts'
import { Copy, Examples } from './examples.tsx'
import { useKnown } from './known.ts'
import { Refusals } from './refusals.tsx'
import { Part, SchemaView } from './schema.tsx'
import { Told } from './told.tsx'

export interface OperationRowProps {
  readonly operation: Operation
  readonly open: boolean
  readonly onToggle: () => void
}

export function OperationRow({ operation, open, onToggle }: OperationRowProps) {
  const { id, method, path, summary, ability, streams, subprotocols } = operation
  const panel = `about ${id}`.replaceAll(' ', '-')
  return (
    <li class="operation" id={id} data-open={open}>
      <h3>
        <button type="button" aria-expanded={open} aria-controls={open ? panel : undefined} onClick={onToggle}>
          <span class="method" data-method={method}>
            {method}
          </span>{' '}
          <code class="path">{breakable(path)}</code>{' '}
          <span class="summary">
            <Told text={summary} />
          </span>{' '}
          <span class="marks">
            {streams ? <span class="mark stream">streams</span> : null}
            {subprotocols === undefined ? null : <span class="mark stream">WebSocket</span>}
            {ability === undefined ? null : <span class="mark">{ability}</span>}
          </span>
        </button>
      </h3>
      {open ? (
        <div class="about" id={panel}>
          <About operation={operation} />
        </div>
      ) : null}
    </li>
  )
}

/** A long path may break after a slash. */
function breakable(path: string) {
  return path.split(/(?<=\/)/).map((part, at) => (
    <span key={at}>
      {part}
      <wbr />
    </span>
  ))
}

function About({ operation }: { operation: Operation }) {
  const known = useKnown()
  const examples = examplesOf({ operation, known, origin: location.origin })
  const link = `${location.origin}/docs#${operation.id}`
  return (
    <>
      <div class="words">
        <p class="lead">
          <Told text={operation.summary} />. <Copy text={link} what="to this operation" label="Copy link" />
        </p>
        <Needs operation={operation} />
        <Parameters parameters={operation.parameters} />
        {operation.body === undefined ? null : (
          <section>
            <h4>Body{operation.body.required ? '' : ' (may be left out)'}</h4>
            <ContentView content={operation.body.content} />
          </section>
        )}
        <section>
          <h4>Answer</h4>
          {operation.replies.map((reply) => (
            <ReplyView key={reply.status} reply={reply} />
          ))}
        </section>
        <Refusals operation={operation} />
      </div>
      <Examples examples={examples} />
    </>
  )
}

const schemes = {
  apiKey: 'an API key',
  visitor: 'a visitor’s token',
  operator: 'a signed-in person',
  csrf: 'the CSRF header',
} as const satisfies Record<keyof ApiDocument['components']['securitySchemes'] & string, string>

function Needs({ operation: { security, ability } }: { operation: Operation }) {
  const ways = security.map((each) => {
    const person = each.operator !== undefined
    if (person) return each.csrf === undefined ? schemes.operator : `${schemes.operator} with ${schemes.csrf}`
    return each.apiKey === undefined ? schemes.visitor : schemes.apiKey
  })
  return (
    <section>
      <h4>Who may ask</h4>
      <p>
        {ways.length === 0 ? 'Anybody: no credential in a header.' : `${capital(ways.join(', or '))}.`}{' '}
        {ability === undefined ? null : (
          <>
            Needs the ability <code>{ability}</code>. <a href="#authentication">How to authenticate</a>
          </>
        )}
      </p>
    </section>
  )
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

const places = [
  ['path', 'In the path'],
  ['query', 'In the query'],
  ['header', 'In headers'],
] as const

function Parameters({ parameters }: { parameters: readonly Parameter[] }) {
  return places.map(([place, title]) => {
    const here = parameters.filter((each) => each.in === place)
    if (here.length === 0) return null
    return (
      <section key={place}>
        <h4>{title}</h4>
        <ul class="parts">
          {here.map(({ name, schema, required, description }) => (
            <Part
              key={name}
              name={name}
              schema={description === undefined ? schema : { ...schema, description }}
              required={required === true}
            />
          ))}
        </ul>
      </section>
    )
  })
}

function ReplyView({ reply: { status, content } }: { reply: Reply }) {
  const empty = Object.keys(content).length === 0
  return (
    <div class="reply">
      <p class="status" data-good={/^[123]/.test(status)}>
        <strong>{status}</strong>
        {empty ? <span> no body</span> : null}
      </p>
      <ContentView content={content} />
    </div>
  )
}

function ContentView({ content }: { content: Content }) {
  const known = useKnown()
  return Object.entries(content).map(([type, media]) => {
    const item = media['x-item-schema']
    const shown = item !== undefined && Object.keys(resolved(item, known)).length > 0 ? item : undefined
    return (
      <div key={type} class="media">
        <p class="media-type">
          <code>{type}</code>
          {type === 'text/event-stream' ? ' piece by piece, as it is made' : ''}
          {shown === undefined ? '' : '; each item:'}
        </p>
        {type === 'application/json' && media.schema !== undefined ? <SchemaView schema={media.schema} /> : null}
        {shown === undefined ? null : <SchemaView schema={shown} />}
      </div>
    )
  })
}
