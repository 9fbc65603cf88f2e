import { Button, IconButton } from '../../../ui/button.tsx'
import { FieldGroup } from '../../../ui/field.tsx'
import { isObject } from '../../../ui/json.ts'
import { JsonField } from '../../../ui/schema-form/json-field.tsx'
import { newRow, type ParameterRow, type ParameterType, rowsOf, schemaOf } from './parameter-rows.ts'
import type { ParametersForm } from './tool-form.ts'

const typeNames: Readonly<Record<ParameterType, string>> = {
  text: 'Text',
  number: 'Number',
  integer: 'Whole number',
  boolean: 'Yes or no',
  choice: 'One of …',
  texts: 'List of texts',
}

interface ParametersFieldProps {
  readonly value: ParametersForm
  readonly onChange: (value: ParametersForm) => void
  /** Arguments that the request names and that have no row yet. */
  readonly missing: readonly string[]
  readonly issue: string | undefined
}

/** What the model may say when it calls the tool. */
export function ParametersField({ value, onChange, missing, issue }: ParametersFieldProps) {
  if (value.is === 'schema')
    return (
      <>
        <JsonField
          id="tool-parameters"
          label="Arguments, as JSON Schema"
          value={value.schema}
          onChange={(schema) => isObject(schema) && onChange({ is: 'schema', schema })}
          issue={issue}
          object
          rows={8}
        />
        <AsTable value={value} onChange={onChange} />
      </>
    )
  const { rows } = value
  const setRows = (next: readonly ParameterRow[]) => onChange({ is: 'rows', rows: next })
  return (
    <FieldGroup
      id="tool-parameters"
      label="Arguments"
      hint="What the model fills in. Say of each what it is: the model reads that."
      issue={issue}
    >
      {rows.map((row, at) => (
        <Row
          key={at}
          row={row}
          n={at + 1}
          onChange={(next) => setRows(rows.map((each, index) => (index === at ? next : each)))}
          onRemove={() => setRows(rows.filter((_, index) => index !== at))}
        />
      ))}
      <div className="tool-form-buttons">
        <Button variant="ghost" icon="plus" onClick={() => setRows([...rows, newRow])}>
          Add argument
        </Button>
        {missing.length > 0 && (
          <Button
            icon="plus"
            onClick={() => setRows([...rows, ...missing.map((name) => ({ ...newRow, name, required: true }))])}
          >
            Add {missing.join(', ')}
          </Button>
        )}
        <Button variant="ghost" onClick={() => onChange({ is: 'schema', schema: schemaOf(rows) })}>
          As JSON Schema
        </Button>
      </div>
    </FieldGroup>
  )
}

function AsTable({
  value,
  onChange,
}: {
  value: ParametersForm & { is: 'schema' }
  onChange: (value: ParametersForm) => void
}) {
  const rows = rowsOf(value.schema)
  if (rows === undefined) return <p className="form-hint tool-form-note">A table cannot say all of this.</p>
  return (
    <div className="tool-form-buttons tool-form-note">
      <Button variant="ghost" onClick={() => onChange({ is: 'rows', rows })}>
        As a table
      </Button>
    </div>
  )
}

interface RowProps {
  readonly row: ParameterRow
  readonly n: number
  readonly onChange: (row: ParameterRow) => void
  readonly onRemove: () => void
}

function Row({ row, n, onChange, onRemove }: RowProps) {
  const set = (part: Partial<ParameterRow>) => onChange({ ...row, ...part })
  return (
    <div className="parameter-row" data-parameter={row.name}>
      <input
        className="input"
        data-mono
        aria-label={`Name of argument ${n}`}
        placeholder="name"
        value={row.name}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => set({ name: event.target.value.trim() })}
      />
      <select
        className="input"
        aria-label={`Type of argument ${n}`}
        value={row.type}
        onChange={(event) => {
          const type = Object.keys(typeNames).find((each): each is ParameterType => each === event.target.value)
          if (type !== undefined) set({ type })
        }}
      >
        {Object.entries(typeNames).map(([type, name]) => (
          <option key={type} value={type}>
            {name}
          </option>
        ))}
      </select>
      <label className="parameter-required">
        <input type="checkbox" checked={row.required} onChange={(event) => set({ required: event.target.checked })} />
        Required
      </label>
      <IconButton icon="trash" label={`Remove argument ${n}`} onClick={onRemove} />
      <input
        className="input parameter-words"
        aria-label={`What argument ${n} is`}
        placeholder="What it is, for the model"
        value={row.description}
        onChange={(event) => set({ description: event.target.value })}
      />
      {row.type === 'choice' && (
        <input
          className="input parameter-words"
          aria-label={`Values of argument ${n}`}
          placeholder="Values, with commas between them"
          value={row.values.join(', ')}
          onChange={(event) => set({ values: event.target.value.split(',').map((each) => each.trim()) })}
        />
      )}
    </div>
  )
}
