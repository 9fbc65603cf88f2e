import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { type Field, type FormBlock, moneyText } from '../../gateway/protocol/visuals/blocks.ts'
import type { Drawing } from './drawing.ts'

const faultWords = {
  required: 'Please fill this in.',
  too_long: 'This is too long.',
  too_small: 'This number is too small.',
  too_large: 'This number is too large.',
} as const

/** Fills while the agent understands more: what it says of a field goes before what was typed there earlier. */
export function FormView({ block, drawing }: { block: FormBlock; drawing: Drawing }) {
  const { say, language, sending, submit } = drawing
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({})
  const [faults, setFaults] = useState<Readonly<Record<string, string>>>({})
  const fresh = useFresh(block.fields, (names) => {
    setTyped((before) => Object.fromEntries(Object.entries(before).filter(([name]) => !names.includes(name))))
    setFaults({})
  })
  const form = useRef<HTMLFormElement>(null)
  const present = ({ name, value }: Field) => typed[name] ?? `${value ?? ''}`
  const send = (event: Event) => {
    event.preventDefault()
    const issues = submit(Object.fromEntries(block.fields.map((field) => [field.name, present(field)])))
    setFaults(Object.fromEntries(issues.map(({ path, message }) => [path, message])))
    form.current?.querySelector<HTMLElement>(`[name="${issues[0]?.path ?? ''}"]`)?.focus()
  }
  const { total } = block
  const times = Number(block.fields.map((field) => (field.name === total?.times ? present(field) : '')).join(''))
  return (
    <form ref={form} class="fields" noValidate onSubmit={send}>
      {block.fields.map((field) => (
        <FieldView
          key={field.name}
          field={field}
          value={present(field)}
          fresh={fresh.includes(field.name)}
          fault={faultText(faults[field.name], say)}
          disabled={sending}
          onInput={(value) => setTyped((before) => ({ ...before, [field.name]: value }))}
        />
      ))}
      {total !== undefined && (
        <p class="total">
          {total.label} <strong>{moneyText({ ...total, minor: total.minor * (times || 0) }, language)}</strong>
        </p>
      )}
      <button type="submit" class="primary" disabled={sending}>
        {sending ? say('Sending…') : block.button}
      </button>
    </form>
  )
}

function faultText(message: string | undefined, say: Drawing['say']): string | undefined {
  if (message === undefined) return undefined
  return say(Object.entries(faultWords).find(([code]) => code === message)?.[1] ?? 'Please check this.')
}

/** Names of the fields that the agent has just changed. */
function useFresh(fields: readonly Field[], onFresh: (names: readonly string[]) => void): readonly string[] {
  const known = useRef(fields)
  const [fresh, setFresh] = useState<readonly string[]>([])
  useLayoutEffect(() => {
    const before = new Map(known.current.map(({ name, value }) => [name, value]))
    known.current = fields
    const names = fields.filter(({ name, value }) => before.get(name) !== value).map(({ name }) => name)
    if (names.length === 0) return
    setFresh(names)
    onFresh(names)
  }, [fields])
  return fresh
}

interface FieldProps {
  readonly field: Field
  readonly value: string
  readonly fresh: boolean
  readonly fault: string | undefined
  readonly disabled: boolean
  readonly onInput: (value: string) => void
}

function FieldView({ field, value, fresh, fault, disabled, onInput }: FieldProps) {
  const id = useId()
  const { name, label, type, required, most, least, fills } = field
  const shared = {
    ...{ id, name, value, disabled, autocomplete: fills ?? 'off', dir: 'auto' as const },
    ...{ 'aria-required': required, 'aria-invalid': fault !== undefined, 'aria-describedby': `${id}-fault` },
    ...{
      'data-fresh': fresh,
      onInput: (event: Event & { currentTarget: { value: string } }) => onInput(event.currentTarget.value),
    },
  }
  return (
    <div class={`field ${type}`}>
      <label for={id}>{label}</label>
      {type === 'lines' ? (
        <textarea rows={2} maxLength={most} {...shared} />
      ) : type === 'number' ? (
        <input type="number" inputMode="numeric" min={least} max={most} step={1} {...shared} />
      ) : (
        <input type="text" inputMode={type} maxLength={most} {...shared} />
      )}
      <span class="fault" id={`${id}-fault`} role={fault === undefined ? undefined : 'alert'}>
        {fault}
      </span>
    </div>
  )
}
