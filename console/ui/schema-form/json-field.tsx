import { useEffect, useRef, useState } from 'react'
import { Field, type FieldTexts, noteOf } from '../field.tsx'
import { isObject, parseJson, same } from '../json.ts'

interface JsonFieldProps extends FieldTexts {
  readonly value: unknown
  readonly onChange: (value: unknown) => void
  /** Anything but an object is refused. */
  readonly object?: boolean
  readonly rows?: number
}

/** JSON as text: what cannot be read stays visible, blocks the form and never replaces the last good value in silence. */
export function JsonField({ id, label, hint, value, onChange, object = false, rows = 4, ...props }: JsonFieldProps) {
  const input = useRef<HTMLTextAreaElement>(null)
  const [text, setText] = useState(() => textOf(value))
  const [shown, setShown] = useState(value)
  if (!same(shown, value)) {
    setShown(value)
    setText(textOf(value))
  }
  const wrong = text.trim() === '' && !object ? undefined : refusalOf(text, object)
  useEffect(() => input.current?.setCustomValidity(wrong ?? ''), [wrong])
  const type = (next: string) => {
    setText(next)
    const parsed = parseJson(next)
    if (next.trim() === '' && !object) take(undefined)
    else if (parsed.ok && (!object || isObject(parsed.value))) take(parsed.value)
  }
  const take = (next: unknown) => {
    setShown(next)
    onChange(next)
  }
  const issue = wrong ?? props.issue
  return (
    <Field id={id} label={label} hint={hint} issue={issue}>
      <textarea
        ref={input}
        id={id}
        className="input"
        data-mono
        rows={rows}
        spellCheck={false}
        value={text}
        onChange={(event) => type(event.target.value)}
        aria-invalid={issue !== undefined || undefined}
        aria-describedby={noteOf({ id, hint, issue })}
      />
    </Field>
  )
}

function refusalOf(text: string, object: boolean): string | undefined {
  const parsed = parseJson(text)
  if (!parsed.ok) return `This is no JSON: ${parsed.why}`
  return object && !isObject(parsed.value) ? 'A JSON object, please: { … }.' : undefined
}

function textOf(value: unknown): string {
  return value === undefined ? '' : JSON.stringify(value, null, 2)
}
