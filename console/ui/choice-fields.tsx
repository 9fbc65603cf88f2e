import { type KeyboardEvent, type ReactNode, useState } from 'react'
import { IconButton } from './button.tsx'
import { Field, FieldNote, type FieldTexts, noteOf } from './field.tsx'

export interface Choice<T extends string> {
  readonly value: T
  readonly name: string
  readonly note?: string
}

interface SelectFieldProps<T extends string> extends FieldTexts {
  readonly value: T
  readonly choices: readonly Choice<T>[]
  readonly onChange: (value: T) => void
}

export function SelectField<T extends string>(props: SelectFieldProps<T>) {
  const { id, value, choices, onChange, issue } = props
  const known = choices.some((choice) => choice.value === value)
  return (
    <Field id={id} label={props.label} hint={props.hint} issue={issue}>
      <select
        id={id}
        className="input"
        value={value}
        onChange={(event) => {
          const chosen = choices.find((choice) => choice.value === event.target.value)
          if (chosen !== undefined) onChange(chosen.value)
        }}
        aria-invalid={issue !== undefined || undefined}
        aria-describedby={noteOf(props)}
      >
        {!known && <option value={value}>{value}</option>}
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.name}
          </option>
        ))}
      </select>
    </Field>
  )
}

/** A few choices that each need a sentence. */
export function RadioCards<T extends string>(props: SelectFieldProps<T>) {
  const { id, label, value, choices, onChange, hint, issue } = props
  return (
    <fieldset className="form-group" id={id} aria-describedby={noteOf(props)}>
      <legend>{label}</legend>
      <div className="radio-cards">
        {choices.map((choice) => (
          <label key={choice.value} className="radio-card">
            <input
              type="radio"
              name={id}
              value={choice.value}
              checked={choice.value === value}
              onChange={() => onChange(choice.value)}
            />
            <span>
              <strong>{choice.name}</strong>
              {choice.note !== undefined && <small>{choice.note}</small>}
            </span>
          </label>
        ))}
      </div>
      <FieldNote id={id} hint={hint} issue={issue} />
    </fieldset>
  )
}

interface SwitchFieldProps {
  readonly id: string
  readonly label: ReactNode
  readonly hint?: ReactNode
  readonly checked: boolean
  readonly onChange: (checked: boolean) => void
  readonly disabled?: boolean
}

export function SwitchField({ id, label, hint, checked, onChange, disabled }: SwitchFieldProps) {
  return (
    <div className="switch-field">
      <input
        type="checkbox"
        role="switch"
        id={id}
        className="switch"
        checked={checked}
        aria-checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.target.checked)}
        aria-describedby={hint === undefined ? undefined : `${id}-note`}
      />
      <label htmlFor={id}>{label}</label>
      {hint !== undefined && (
        <p className="form-hint" id={`${id}-note`}>
          {hint}
        </p>
      )}
    </div>
  )
}

interface TokenFieldProps extends FieldTexts {
  readonly value: readonly string[]
  readonly onChange: (value: string[]) => void
  readonly placeholder?: string
  readonly suggestions?: readonly string[]
  /** What one of them is called, for the buttons: `tool`. */
  readonly noun: string
  /** Phrases keep their spaces and commas; names end at either. */
  readonly phrases?: boolean
}

/** A list of words: Enter adds, Backspace in the empty field takes the last one back, pasted lines are added one by one. */
export function TokenField(props: TokenFieldProps) {
  const { id, value, onChange, noun, phrases = false } = props
  const [text, setText] = useState('')
  const add = (raw: string) => {
    const words = raw.split(phrases ? /\n/ : /[\s,]+/).map((word) => word.trim())
    const fresh = words.filter((word, at) => word !== '' && !value.includes(word) && words.indexOf(word) === at)
    if (fresh.length > 0) onChange([...value, ...fresh])
    setText('')
  }
  const onKey = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === 'Enter' || (event.key === ',' && !phrases)) {
      event.preventDefault()
      add(text)
    } else if (event.key === 'Backspace' && text === '') onChange(value.slice(0, -1))
  }
  const left = props.suggestions?.filter((one) => !value.includes(one)) ?? []
  return (
    <Field id={id} label={props.label} hint={props.hint} issue={props.issue}>
      <div className="tokens" data-wrong={props.issue !== undefined || undefined}>
        {value.map((word) => (
          <span key={word} className="token" data-mono={!phrases || undefined}>
            {word}
            <IconButton
              icon="close"
              label={`Remove ${noun} ${word}`}
              onClick={() => onChange(value.filter((each) => each !== word))}
            />
          </span>
        ))}
        <input
          id={id}
          value={text}
          list={left.length === 0 ? undefined : `${id}-list`}
          placeholder={value.length === 0 ? props.placeholder : `Add ${noun}`}
          autoComplete="off"
          spellCheck={phrases}
          onChange={(event) => {
            const typed = event.target.value
            if (isPick(event.nativeEvent) && left.includes(typed)) add(typed)
            else setText(typed)
          }}
          onKeyDown={onKey}
          onBlur={() => add(text)}
          onPaste={(event) => {
            const pasted = event.clipboardData.getData('text')
            if (!pasted.includes('\n')) return
            event.preventDefault()
            add(pasted)
          }}
          aria-describedby={noteOf(props)}
        />
      </div>
      {left.length > 0 && (
        <datalist id={`${id}-list`}>
          {left.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
    </Field>
  )
}

/** Chosen from the list of suggestions, not typed: browsers tell it by the kind of input, or by none. */
function isPick(event: Event): boolean {
  return !(event instanceof InputEvent) || event.inputType === '' || event.inputType === 'insertReplacementText'
}
