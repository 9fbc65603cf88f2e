import { type CSSProperties, type HTMLAttributes, type ReactNode, useEffect, useRef, useState } from 'react'
import { Field, type FieldTexts, noteOf } from './field.tsx'

interface TextFieldProps extends FieldTexts {
  readonly value: string
  readonly onChange: (value: string) => void
  readonly placeholder?: string
  readonly maxLength?: number
  readonly required?: boolean
  readonly mono?: boolean
  /** Ids of values to choose from; anything else may be typed. */
  readonly suggestions?: readonly string[]
  readonly readOnly?: boolean
  readonly type?: 'text' | 'email' | 'password' | 'date'
  readonly autoComplete?: string
  readonly inputMode?: HTMLAttributes<HTMLInputElement>['inputMode']
}

export function TextField({ value, onChange, mono, suggestions, autoComplete, ...props }: TextFieldProps) {
  const { id, label, hint, issue, ...input } = props
  const list = suggestions === undefined ? undefined : `${id}-list`
  return (
    <Field id={id} label={label} hint={hint} issue={issue}>
      <input
        {...input}
        id={id}
        className="input"
        data-mono={mono || undefined}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        autoComplete={autoComplete ?? 'off'}
        spellCheck={mono === true ? false : undefined}
        aria-invalid={issue !== undefined || undefined}
        aria-describedby={noteOf(props)}
        list={list}
      />
      {list !== undefined && (
        <datalist id={list}>
          {suggestions?.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
    </Field>
  )
}

interface TextAreaProps extends FieldTexts {
  readonly value: string
  readonly onChange: (value: string) => void
  readonly placeholder?: string
  readonly maxLength?: number
  readonly rows?: number
}

/** Grows with its text; counts when the end comes near. */
export function TextArea({ value, onChange, rows = 3, maxLength, placeholder, ...props }: TextAreaProps) {
  const { id, label, hint, issue } = props
  const near = maxLength !== undefined && value.length > maxLength * 0.8
  const counted: ReactNode = near ? (
    <>
      {hint} {value.length.toLocaleString('en')} of {maxLength.toLocaleString('en')} characters.
    </>
  ) : (
    hint
  )
  return (
    <Field id={id} label={label} hint={counted} issue={issue}>
      <textarea
        id={id}
        className="input"
        rows={rows}
        style={rowsStyle(rows)}
        maxLength={maxLength}
        placeholder={placeholder}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        aria-invalid={issue !== undefined || undefined}
        aria-describedby={noteOf({ id, hint: counted, issue })}
      />
    </Field>
  )
}

/** A field that grows with its text forgets `rows`; this is the height it begins with. */
function rowsStyle(rows: number): CSSProperties & { '--rows': number } {
  return { '--rows': rows }
}

interface NumberFieldProps extends FieldTexts {
  /** null: empty, which means no limit or the default of whoever uses it. */
  readonly value: number | null
  readonly onChange: (value: number | null) => void
  readonly placeholder?: string
  readonly unit?: string
  /** From the text; undefined: refused. The default takes any number. */
  readonly parse?: (text: string) => number | undefined
  readonly format?: (value: number) => string
  /** What the field says when `parse` refuses. */
  readonly refusal?: string
  /** An empty field is no answer. */
  readonly required?: boolean
  readonly range?: { readonly min: number; readonly max: number; readonly step: number }
}

/** Text that is a number: what cannot be one stays visible, blocks the form and never replaces the last good value in silence. */
export function NumberField(props: NumberFieldProps) {
  const { id, value, onChange, unit, range, parse = plainNumber, format = String } = props
  const { refusal = 'Not a number.', required = false } = props
  const input = useRef<HTMLInputElement>(null)
  const [text, setText] = useState(value === null ? '' : format(value))
  const [shown, setShown] = useState(value)
  if (shown !== value) {
    setShown(value)
    setText(value === null ? '' : format(value))
  }
  const wrong = text.trim() === '' ? required : parse(text) === undefined
  useEffect(() => input.current?.setCustomValidity(wrong ? refusal : ''), [wrong, refusal])
  const type = (next: string) => {
    setText(next)
    const parsed = next.trim() === '' ? null : parse(next)
    if (parsed === undefined || (parsed === null && required)) return
    setShown(parsed)
    onChange(parsed)
  }
  const issue = wrong ? refusal : props.issue
  return (
    <Field id={id} label={props.label} hint={props.hint} issue={issue}>
      <span className="number-input" data-range={range !== undefined || undefined}>
        <input
          ref={input}
          id={id}
          className="input"
          inputMode="decimal"
          autoComplete="off"
          placeholder={props.placeholder}
          value={text}
          onChange={(event) => type(event.target.value)}
          aria-invalid={issue !== undefined || undefined}
          aria-describedby={noteOf({ id, hint: props.hint, issue })}
        />
        {unit !== undefined && <span className="input-unit">{unit}</span>}
        {range !== undefined && (
          <input
            type="range"
            {...range}
            value={value ?? (range.min + range.max) / 2}
            onChange={(event) => onChange(Number(event.target.value))}
            aria-label={`${props.label}, slider`}
          />
        )}
      </span>
    </Field>
  )
}

export function plainNumber(text: string): number | undefined {
  const value = Number(text.trim().replace(',', '.'))
  return Number.isFinite(value) ? value : undefined
}

export function wholeNumber(text: string): number | undefined {
  const value = Number(text.trim().replaceAll(/[\s,]/g, ''))
  return Number.isSafeInteger(value) ? value : undefined
}
