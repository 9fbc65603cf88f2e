import { useMemo, useState } from 'react'
import { isObject, type JsonObject } from '../json.ts'
import { JsonField } from './json-field.tsx'
import { SchemaFields } from './schema-fields.tsx'
import { fieldsOf } from './shape.ts'

interface SchemaFormProps {
  readonly id: string
  readonly schema: JsonObject
  readonly value: JsonObject
  readonly onChange: (value: JsonObject) => void
  readonly issue?: (path: string) => string | undefined
}

/** Fields for what the schema names, or the same as JSON: whichever the person likes better. */
export function SchemaForm({ id, schema, value, onChange, issue }: SchemaFormProps) {
  const fields = useMemo(() => fieldsOf(schema), [schema])
  const [asJson, setAsJson] = useState(false)
  const json = asJson || (fields.length === 0 && Object.keys(value).length > 0)
  return (
    <div className="schema-form">
      {fields.length > 0 && (
        <fieldset className="segments schema-form-how" aria-label="Edit as">
          <button type="button" aria-pressed={!asJson} onClick={() => setAsJson(false)}>
            Fields
          </button>
          <button type="button" aria-pressed={asJson} onClick={() => setAsJson(true)}>
            JSON
          </button>
        </fieldset>
      )}
      {json ? (
        <JsonField
          id={`${id}-json`}
          label="Arguments as JSON"
          value={value}
          onChange={(next) => isObject(next) && onChange(next)}
          issue={issue?.('')}
          object
          rows={8}
        />
      ) : (
        <SchemaFields id={id} fields={fields} value={value} onChange={onChange} issue={issue} />
      )}
      {fields.length === 0 && !json && <p className="quiet">It takes no arguments.</p>}
    </div>
  )
}
