import { Button, IconButton } from '../../../ui/button.tsx'
import { FieldGroup, type FieldTexts } from '../../../ui/field.tsx'
import type { Pair } from './tool-form.ts'

interface PairsFieldProps extends FieldTexts {
  readonly value: readonly Pair[]
  readonly onChange: (value: readonly Pair[]) => void
  /** What one of them is, what its name is and what its value is: for labels. */
  readonly words: { readonly one: string; readonly name: string; readonly value: string }
  readonly placeholder?: string
}

/** Names with a value each, in a row each. */
export function PairsField({ value, onChange, words, placeholder, ...props }: PairsFieldProps) {
  const set = (at: number, part: Partial<Pair>) =>
    onChange(value.map((pair, index) => (index === at ? { ...pair, ...part } : pair)))
  return (
    <FieldGroup {...props}>
      {value.map((pair, at) => (
        <div key={at} className="pair">
          <input
            className="input"
            data-mono
            aria-label={`${words.name} ${at + 1}`}
            value={pair.name}
            spellCheck={false}
            autoComplete="off"
            onChange={(event) => set(at, { name: event.target.value })}
          />
          <input
            className="input"
            data-mono
            aria-label={`${words.value} ${at + 1}`}
            value={pair.value}
            placeholder={placeholder}
            spellCheck={false}
            autoComplete="off"
            onChange={(event) => set(at, { value: event.target.value })}
          />
          <IconButton
            icon="trash"
            label={`Remove ${words.one} ${at + 1}`}
            onClick={() => onChange(value.filter((_, index) => index !== at))}
          />
        </div>
      ))}
      <div>
        <Button variant="ghost" icon="plus" onClick={() => onChange([...value, { name: '', value: '' }])}>
          Add {words.one}
        </Button>
      </div>
    </FieldGroup>
  )
}
