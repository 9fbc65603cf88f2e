import type { FieldMaskView } from '../../../gateway/protocol/access.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { type Choice, SelectField } from '../../ui/choice-fields.tsx'
import { TextField } from '../../ui/text-fields.tsx'

interface MaskListProps {
  readonly masks: readonly FieldMaskView[]
  readonly choices: readonly Choice<string>[]
  readonly onChange: (masks: readonly FieldMaskView[]) => void
}

const ways = [
  { value: 'hide', name: 'hidden' },
  { value: 'redact', name: 'redacted' },
] as const

export function MaskList({ masks, choices, onChange }: MaskListProps) {
  const put = (at: number, part: Partial<FieldMaskView>) =>
    onChange(masks.map((each, index) => (index === at ? { ...each, ...part } : each)))
  return (
    <>
      {masks.map((mask, at) => (
        <div key={at} className="mask">
          <SelectField
            id={`mask-${at}-resource`}
            label="On"
            value={mask.resource}
            choices={choices}
            onChange={(resource) => put(at, { resource })}
          />
          <TextField
            id={`mask-${at}-field`}
            label="Path"
            value={mask.field}
            onChange={(field) => put(at, { field })}
            placeholder="data.phone"
            required
            mono
          />
          <TextField
            id={`mask-${at}-kind`}
            label="Of one kind only"
            value={mask.kind ?? ''}
            onChange={(kind) => put(at, { kind: kind === '' ? undefined : kind })}
            placeholder="all"
            mono
          />
          <SelectField
            id={`mask-${at}-how`}
            label="Is"
            value={mask.how}
            choices={ways}
            onChange={(how) => put(at, { how })}
          />
          <IconButton
            icon="trash"
            label={`Remove field ${at + 1}`}
            onClick={() => onChange(masks.filter((_, index) => index !== at))}
          />
        </div>
      ))}
      <Button
        icon="plus"
        onClick={() => onChange([...masks, { resource: choices[0]?.value ?? '', field: '', how: 'hide' }])}
      >
        Add a field
      </Button>
    </>
  )
}
