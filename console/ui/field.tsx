// One field of a form: label, control, and below it the hint or what is wrong, in the same place.

import type { ReactNode } from 'react'

export interface FieldTexts {
  readonly id: string
  readonly label: string
  readonly hint?: ReactNode
  /** What the API or the field itself refuses. Shown in the hint's place. */
  readonly issue?: string | undefined
}

export function Field({ id, label, hint, issue, children }: FieldTexts & { readonly children: ReactNode }) {
  return (
    <div className="form-field" data-wrong={issue !== undefined || undefined}>
      <label htmlFor={id}>{label}</label>
      {children}
      <FieldNote id={id} hint={hint} issue={issue} />
    </div>
  )
}

export function FieldNote({ id, hint, issue }: Pick<FieldTexts, 'id' | 'hint' | 'issue'>) {
  if (issue !== undefined)
    return (
      <p className="form-issue" id={noteId(id)}>
        {issue}
      </p>
    )
  if (hint === undefined) return null
  return (
    <p className="form-hint" id={noteId(id)}>
      {hint}
    </p>
  )
}

/** For `aria-describedby` of the control; undefined when there is nothing to read. */
export function noteOf({ id, hint, issue }: Pick<FieldTexts, 'id' | 'hint' | 'issue'>): string | undefined {
  return hint === undefined && issue === undefined ? undefined : noteId(id)
}

function noteId(id: string): string {
  return `${id}-note`
}

/** A group of controls that belong to one name, such as a list of rows. */
export function FieldGroup(props: FieldTexts & { readonly aside?: ReactNode; readonly children: ReactNode }) {
  const { id, label, hint, issue } = props
  return (
    <fieldset
      className="form-group"
      id={id}
      aria-describedby={noteOf(props)}
      data-wrong={issue !== undefined || undefined}
    >
      <legend>{label}</legend>
      {props.children}
      <FieldNote id={id} hint={hint} issue={issue} />
    </fieldset>
  )
}
