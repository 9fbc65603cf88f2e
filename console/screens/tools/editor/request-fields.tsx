// The request and what is taken of its answer.

import { RadioCards, SelectField, SwitchField } from '../../../ui/choice-fields.tsx'
import { JsonField } from '../../../ui/schema-form/json-field.tsx'
import { NumberField, TextField, wholeNumber } from '../../../ui/text-fields.tsx'
import { AuthField } from './auth-field.tsx'
import { PairsField } from './pairs-field.tsx'
import { methods, type ToolForm } from './tool-form.ts'

export interface PartProps {
  readonly form: ToolForm
  readonly set: (part: Partial<ToolForm>) => void
  readonly issue: (path: string) => string | undefined
}

export function RequestFields({ form, set, issue }: PartProps) {
  return (
    <>
      <div className="method-url">
        <SelectField
          id="tool-method"
          label="Method"
          value={form.method}
          choices={methods.map((value) => ({ value, name: value }))}
          onChange={(method) => set({ method })}
        />
        <TextField
          id="tool-url"
          label="Address"
          hint="An argument stands as {name}, in a segment of the path or a value of the query; never in the host."
          value={form.url}
          onChange={(url) => set({ url })}
          placeholder="https://api.example.com/orders/{order_id}"
          maxLength={2_000}
          inputMode="url"
          mono
          issue={issue('spec.url')}
        />
      </div>
      <PairsField
        id="tool-query"
        label="Query parameters"
        words={{ one: 'parameter', name: 'Name of parameter', value: 'Value of parameter' }}
        placeholder="value or {argument}"
        value={form.query}
        onChange={(query) => set({ query })}
        issue={issue('spec.query')}
      />
      <PairsField
        id="tool-headers"
        label="Headers"
        words={{ one: 'header', name: 'Name of header', value: 'Value of header' }}
        placeholder="value or {argument}"
        value={form.headers}
        onChange={(headers) => set({ headers })}
        issue={issue('spec.headers')}
      />
      <AuthField value={form.auth} onChange={(auth) => set({ auth })} issue={issue('spec.auth')} />
      {form.method !== 'GET' && <BodyFields form={form} set={set} issue={issue} />}
    </>
  )
}

function BodyFields({ form, set, issue }: PartProps) {
  return (
    <>
      <JsonField
        id="tool-body"
        label="Body (optional)"
        hint='JSON. A text that is nothing but "{name}" becomes the argument itself; a number stays one.'
        value={form.body}
        onChange={(body) => set({ body })}
        issue={issue('spec.body')}
      />
      <div className="form-pair">
        <SelectField
          id="tool-body-type"
          label="Sent as"
          value={form.bodyType}
          choices={[
            { value: 'json', name: 'JSON' },
            { value: 'form', name: 'Form fields' },
          ]}
          onChange={(bodyType) => set({ bodyType })}
        />
        <TextField
          id="tool-idempotency"
          label="Header with the call’s key"
          hint="The same key for every attempt of one call. Empty: none is sent."
          value={form.idempotencyHeader ?? ''}
          onChange={(name) => set({ idempotencyHeader: name.trim() === '' ? null : name.trim() })}
          maxLength={100}
          mono
          issue={issue('spec.idempotencyHeader')}
        />
      </div>
    </>
  )
}

export function ResponseFields({ form, set, issue }: PartProps) {
  const { items } = form
  const whole = form.pick.length === 0 && items === null
  return (
    <>
      <RadioCards
        id="tool-response"
        label="What the model gets of the answer"
        value={whole ? 'whole' : 'picked'}
        choices={[
          { value: 'whole', name: 'All of it', note: 'Cut where it is too long.' },
          { value: 'picked', name: 'Chosen fields', note: 'Shorter, and less to get wrong.' },
        ]}
        onChange={(how) => set(how === 'whole' ? { pick: [], items: null } : { pick: [{ name: '', value: '' }] })}
      />
      {!whole && (
        <>
          <PairsField
            id="tool-pick"
            label="Fields of the answer"
            hint="A name for the model, and where it stands as a JSON pointer: /data/0/state."
            words={{ one: 'field', name: 'Name of field', value: 'Place of field' }}
            placeholder="/state"
            value={form.pick}
            onChange={(pick) => set({ pick })}
            issue={issue('spec.response.pick')}
          />
          <SwitchField
            id="tool-items"
            label="There is a list in the answer"
            checked={items !== null}
            onChange={(on) => set({ items: on ? { at: '', pick: [], limit: 20 } : null })}
          />
        </>
      )}
      {items !== null && <ItemFields items={items} set={set} issue={issue} />}
    </>
  )
}

interface ItemFieldsProps extends Pick<PartProps, 'set' | 'issue'> {
  readonly items: NonNullable<ToolForm['items']>
}

function ItemFields({ items, set, issue }: ItemFieldsProps) {
  return (
    <>
      <div className="form-pair">
        <TextField
          id="tool-items-at"
          label="Where the list stands"
          hint="A JSON pointer. Empty: the answer is the list."
          value={items.at}
          onChange={(at) => set({ items: { ...items, at } })}
          placeholder="/data/items"
          mono
          issue={issue('spec.response.items.at')}
        />
        <NumberField
          id="tool-items-limit"
          label="Entries at most"
          value={items.limit}
          onChange={(limit) => limit !== null && set({ items: { ...items, limit } })}
          parse={wholeNumber}
          refusal="A whole number, please."
          required
          issue={issue('spec.response.items.limit')}
        />
      </div>
      <PairsField
        id="tool-items-pick"
        label="Fields of each entry"
        hint="None: each entry as it is."
        words={{ one: 'field', name: 'Name of entry field', value: 'Place of entry field' }}
        placeholder="/name"
        value={items.pick}
        onChange={(pick) => set({ items: { ...items, pick } })}
        issue={issue('spec.response.items.pick')}
      />
    </>
  )
}
