// A schema as a list of what is in it; what has parts of its own opens on demand, which also ends references in a circle.

import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { resolved, type Schema } from '../document.ts'
import { alternatives, bounds, choices, core, typeText } from '../schema-text.ts'
import { useKnown } from './known.ts'
import { Told } from './told.tsx'

/** The whole of a body or a reply: its type, and its parts one level deep. */
export function SchemaView({ schema }: { schema: Schema }) {
  return (
    <div class="schema">
      <p class="whole">
        <Facts schema={schema} />
      </p>
      <Parts schema={schema} />
    </div>
  )
}

function Parts({ schema }: { schema: Schema }) {
  const known = useKnown()
  const own = core(schema, known)
  const union = alternatives(own)
  if (union !== undefined) {
    const told = union.filter(({ type }) => type !== 'null')
    return (
      <ul class="parts">
        {told.map((each, at) => (
          <li key={`${at}`}>
            <Opening schema={each} label={<span class="option">{labelOf(resolved(each, known), at)}</span>} />
          </li>
        ))}
      </ul>
    )
  }
  if (own.items !== undefined) return <Parts schema={own.items} />
  const values = typeof own.additionalProperties === 'object' ? own.additionalProperties : undefined
  const rest = values !== undefined && Object.keys(values).length > 0 ? values : undefined
  const properties = Object.entries(own.properties ?? {})
  if (properties.length === 0 && rest === undefined) return null
  return (
    <ul class="parts">
      {properties.map(([name, each]) => (
        <Part key={name} name={name} schema={each} required={own.required?.includes(name) === true} />
      ))}
      {rest === undefined ? null : <Part name="any other name" schema={rest} required={false} />}
    </ul>
  )
}

/** What tells one alternative from the others. */
function labelOf({ properties = {} }: Schema, at: number): string {
  const mark = Object.entries(properties).find(([, { const: value }]) => value !== undefined)
  return mark === undefined ? `Option ${at + 1}` : `${mark[0]}: ${JSON.stringify(mark[1].const)}`
}

/** One property or parameter. */
export function Part({ name, schema, required }: { name: string; schema: Schema; required: boolean }) {
  const label = (
    <>
      <code class="name">{name}</code>
      {required ? <span class="required">required</span> : null}
    </>
  )
  return (
    <li>
      <Opening schema={schema} label={label} />
      {schema.description === undefined ? null : (
        <p class="told">
          <Told text={schema.description} />
        </p>
      )}
    </li>
  )
}

/** A line; with parts, one that opens. They are made when they are first wanted. */
function Opening({ schema, label }: { schema: Schema; label: ComponentChildren }) {
  const [open, setOpen] = useState(false)
  const known = useKnown()
  const line = (
    <>
      {label} <Facts schema={schema} />
    </>
  )
  if (!hasParts(core(schema, known), (each) => core(each, known))) return <div class="line">{line}</div>
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary class="line">{line}</summary>
      {open ? <Parts schema={schema} /> : null}
    </details>
  )
}

/** `coreOf`: follows a reference. */
function hasParts(own: Schema, coreOf: (schema: Schema) => Schema): boolean {
  const union = alternatives(own)
  if (union !== undefined) return union.some((each) => hasParts(coreOf(each), coreOf))
  if (own.items !== undefined) return hasParts(coreOf(own.items), coreOf)
  const { properties = {}, additionalProperties: rest } = own
  return Object.keys(properties).length > 0 || (typeof rest === 'object' && hasParts(coreOf(rest), coreOf))
}

function Facts({ schema }: { schema: Schema }) {
  const known = useKnown()
  const own = core(schema, known)
  const values = choices(schema, known)
  const preset = schema.default ?? resolved(schema, known).default
  return (
    <>
      <span class="type">{typeText(schema)}</span>
      {bounds(own).map((bound) => (
        <span key={bound} class="bound">
          {bound}
        </span>
      ))}
      {preset === undefined ? null : (
        <span class="bound">
          {'default '}
          <code>{JSON.stringify(preset)}</code>
        </span>
      )}
      {values.length === 0 ? null : (
        <span class="values">
          {values.map((value) => (
            <code key={value}>{value}</code>
          ))}
        </span>
      )}
    </>
  )
}
