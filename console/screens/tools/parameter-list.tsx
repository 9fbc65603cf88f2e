import { CodeBlock } from '../../ui/copy.tsx'
import type { JsonObject } from '../../ui/json.ts'
import { fieldsOf, type SchemaField } from '../../ui/schema-form/shape.ts'

/** What a tool takes, as a table; the schema itself below it. */
export function ParameterList({ parameters }: { parameters: JsonObject }) {
  const fields = fieldsOf(parameters)
  return (
    <>
      {fields.length === 0 ? (
        <p className="quiet">It takes no arguments.</p>
      ) : (
        <div className="table-wrap">
          <table className="table tool-parameters">
            <thead>
              <tr>
                <th scope="col">Argument</th>
                <th scope="col">Value</th>
                <th scope="col">What it is</th>
              </tr>
            </thead>
            <tbody>
              {fields.map((field) => (
                <tr key={field.name}>
                  <th scope="row">
                    <code>{field.name}</code> {field.required && <small>required</small>}
                  </th>
                  <td>{valueWords(field)}</td>
                  <td>{field.hint ?? ''}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <details className="tool-schema">
        <summary>As JSON Schema</summary>
        <CodeBlock code={JSON.stringify(parameters, null, 2)} label="schema" />
      </details>
    </>
  )
}

function valueWords({ shape }: SchemaField): string {
  switch (shape.is) {
    case 'text':
      return shape.format ?? 'text'
    case 'choice':
      return shape.values.join(', ')
    case 'number':
      return shape.whole ? 'whole number' : 'number'
    case 'switch':
      return 'yes or no'
    case 'texts':
      return 'list of texts'
    case 'rows':
      return `list of { ${shape.fields.map((each) => each.name).join(', ')} }`
    case 'group':
      return `{ ${shape.fields.map((each) => each.name).join(', ')} }`
    case 'json':
      return 'JSON'
  }
}
