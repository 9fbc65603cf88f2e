// A form made of a JSON schema. An empty field is no value: its name leaves the object.

import { useState } from 'react'
import { Button, IconButton } from '../button.tsx'
import { SelectField, SwitchField, TokenField } from '../choice-fields.tsx'
import { FieldGroup } from '../field.tsx'
import { isObject, type JsonObject } from '../json.ts'
import { NumberField, TextArea, TextField, wholeNumber } from '../text-fields.tsx'
import { JsonField } from './json-field.tsx'
import type { SchemaField, Shape } from './shape.ts'
import './schema-form.css'

interface FieldsProps {
  /** Begins the ids of the controls. */
  readonly id: string
  readonly fields: readonly SchemaField[]
  readonly value: JsonObject
  readonly onChange: (value: JsonObject) => void
  /** What is wrong with a field, by its dotted path. */
  readonly issue?: ((path: string) => string | undefined) | undefined
  readonly path?: string
}

export function SchemaFields({ id, fields, value, onChange, issue, path = '' }: FieldsProps) {
  return (
    <>
      {fields.map((field) => (
        <One
          key={field.name}
          id={`${id}-${field.name}`}
          field={field}
          value={value[field.name]}
          onChange={(next) => onChange(withField(value, field.name, next))}
          issue={issue}
          path={path === '' ? field.name : `${path}.${field.name}`}
        />
      ))}
      <Unnamed id={id} fields={fields} value={value} onChange={onChange} />
    </>
  )
}

interface OneProps extends Pick<FieldsProps, 'id' | 'issue'> {
  readonly field: SchemaField
  readonly value: unknown
  readonly onChange: (value: unknown) => void
  readonly path: string
}

function One({ id, field, value, onChange, issue, path }: OneProps) {
  const { shape, required } = field
  const texts = { id, label: required ? field.label : `${field.label} (optional)`, issue: issue?.(path) }
  const props = field.hint === undefined ? texts : { ...texts, hint: field.hint }
  switch (shape.is) {
    case 'text':
      return <Text {...props} shape={shape} value={value} onChange={onChange} />
    case 'choice':
      return <Choice {...props} shape={shape} required={required} value={value} onChange={onChange} />
    case 'number':
      return (
        <NumberField
          {...props}
          value={typeof value === 'number' ? value : null}
          onChange={(next) => onChange(next ?? undefined)}
          {...(shape.whole ? { parse: wholeNumber, refusal: 'A whole number, please.' } : {})}
        />
      )
    case 'switch':
      return <SwitchField {...props} checked={value === true} onChange={onChange} />
    case 'texts':
      return (
        <TokenField
          {...props}
          noun="entry"
          phrases
          value={Array.isArray(value) ? value.map(String) : []}
          onChange={(next) => onChange(next.length === 0 && !required ? undefined : next)}
        />
      )
    case 'group':
      return (
        <FieldGroup {...props}>
          <div className="schema-group">
            <SchemaFields
              id={id}
              fields={shape.fields}
              value={isObject(value) ? value : {}}
              onChange={(next) => onChange(Object.keys(next).length === 0 && !required ? undefined : next)}
              issue={issue}
              path={path}
            />
          </div>
        </FieldGroup>
      )
    case 'rows':
      return <Rows {...props} shape={shape} path={path} issueOf={issue} value={value} onChange={onChange} />
    case 'json':
      return <JsonField {...props} value={value} onChange={onChange} rows={2} />
  }
}

interface ControlProps<S extends Shape['is']> {
  readonly id: string
  readonly label: string
  readonly hint?: string
  readonly issue: string | undefined
  readonly shape: Extract<Shape, { is: S }>
  readonly value: unknown
  readonly onChange: (value: unknown) => void
}

/** Chosen once: a field must not change under the hands of whoever types. */
function Text({ shape, value, onChange, ...props }: ControlProps<'text'>) {
  const text = typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value)
  const [long] = useState(
    () => shape.format === undefined && (text.length > 70 || text.includes('\n') || (shape.maxLength ?? 0) > 300),
  )
  const common = { ...props, value: text, onChange: (next: string) => onChange(next === '' ? undefined : next) }
  return long ? <TextArea {...common} rows={2} /> : <TextField {...common} />
}

const unset = ''

function Choice({ shape, value, required, onChange, ...props }: ControlProps<'choice'> & { required: boolean }) {
  const known = shape.values.map((each) => ({ value: String(each), name: String(each) }))
  const empty = required && value !== undefined ? [] : [{ value: unset, name: 'Not set' }]
  return (
    <SelectField
      {...props}
      value={value === undefined ? unset : String(value)}
      choices={[...empty, ...known]}
      onChange={(next) => onChange(shape.values.find((each) => String(each) === next))}
    />
  )
}

interface RowsProps extends ControlProps<'rows'> {
  readonly path: string
  readonly issueOf: FieldsProps['issue']
}

function Rows({ shape, value, onChange, path, issueOf, ...props }: RowsProps) {
  const rows = Array.isArray(value) ? value : []
  const set = (at: number, next: unknown) => onChange(rows.map((row, index) => (index === at ? next : row)))
  return (
    <FieldGroup {...props}>
      <ol className="schema-rows">
        {rows.map((row, at) => (
          <li key={at} className="schema-group">
            <SchemaFields
              id={`${props.id}-${at}`}
              fields={shape.fields}
              value={isObject(row) ? row : {}}
              onChange={(next) => set(at, next)}
              issue={issueOf}
              path={`${path}.${at}`}
            />
            <IconButton
              icon="trash"
              label={`Remove entry ${at + 1} of ${props.label}`}
              onClick={() => onChange(rows.filter((_, index) => index !== at))}
            />
          </li>
        ))}
      </ol>
      <div>
        <Button icon="plus" onClick={() => onChange([...rows, {}])}>
          Add
        </Button>
      </div>
    </FieldGroup>
  )
}

/** What is there and the schema does not name: not hidden from whoever decides. */
function Unnamed({ id, fields, value, onChange }: Pick<FieldsProps, 'id' | 'fields' | 'value' | 'onChange'>) {
  const names = Object.keys(value).filter((name) => !fields.some((field) => field.name === name))
  return names.map((name) => (
    <JsonField
      key={name}
      id={`${id}-${name}`}
      label={`${name} (not of the tool’s schema)`}
      value={value[name]}
      onChange={(next) => onChange(withField(value, name, next))}
      rows={2}
    />
  ))
}

function withField(value: JsonObject, name: string, next: unknown): JsonObject {
  const { [name]: _, ...rest } = value
  if (next === undefined) return rest
  // The place of a field that is there stays.
  return name in value ? { ...value, [name]: next } : { ...rest, [name]: next }
}
