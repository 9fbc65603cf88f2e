import type { RowConditionView, RowRuleView } from '../../../gateway/protocol/access.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { type Choice, SelectField, TokenField } from '../../ui/choice-fields.tsx'
import { TextField } from '../../ui/text-fields.tsx'
import { readValue, writeValue } from './rule-values.ts'

interface RuleListProps {
  readonly rules: readonly RowRuleView[]
  readonly choices: readonly Choice<string>[]
  readonly onChange: (rules: readonly RowRuleView[]) => void
}

const fresh: RowConditionView = { is: 'field', field: '', op: 'eq', values: [] }

export function RuleList({ rules, choices, onChange }: RuleListProps) {
  const put = (at: number, rule: RowRuleView) => onChange(rules.map((each, index) => (index === at ? rule : each)))
  return (
    <>
      {rules.map((rule, at) => (
        <div key={at} className="rule">
          <div className="form-pair">
            <SelectField
              id={`rule-${at}-resource`}
              label="On"
              value={rule.resource}
              choices={choices}
              onChange={(resource) => put(at, { ...rule, resource })}
            />
            <TextField
              id={`rule-${at}-kind`}
              label="Of one kind only"
              value={rule.kind ?? ''}
              onChange={(kind) => put(at, { ...rule, kind: kind === '' ? undefined : kind })}
              placeholder="all"
              mono
            />
          </div>
          {rule.conditions.map((condition, place) => (
            <Condition
              key={place}
              id={`rule-${at}-${place}`}
              condition={condition}
              onChange={(next) =>
                put(at, { ...rule, conditions: rule.conditions.map((each, index) => (index === place ? next : each)) })
              }
            />
          ))}
          <div className="rule-do">
            <Button icon="plus" onClick={() => put(at, { ...rule, conditions: [...rule.conditions, fresh] })}>
              And
            </Button>
            <IconButton
              icon="trash"
              label={`Remove rule ${at + 1}`}
              onClick={() => onChange(rules.filter((_, index) => index !== at))}
            />
          </div>
        </div>
      ))}
      <Button
        icon="plus"
        onClick={() => onChange([...rules, { resource: choices[0]?.value ?? '', conditions: [fresh] }])}
      >
        Add a rule
      </Button>
    </>
  )
}

interface ConditionProps {
  readonly id: string
  readonly condition: RowConditionView
  readonly onChange: (condition: RowConditionView) => void
}

const kinds = [
  { value: 'field', name: 'Field' },
  { value: 'relation', name: 'Is related' },
] as const
const operators = [
  { value: 'eq', name: 'is' },
  { value: 'ne', name: 'is not' },
  { value: 'in', name: 'is one of' },
] as const

function Condition({ id, condition, onChange }: ConditionProps) {
  return (
    <div className="rule-condition">
      <SelectField
        id={`${id}-is`}
        label="Condition"
        value={condition.is}
        choices={kinds}
        onChange={(is) => onChange(is === 'field' ? fresh : { is, relation: '', to: 'actor.id' })}
      />
      {condition.is === 'relation' ? (
        <>
          <TextField
            id={`${id}-relation`}
            label="Relation"
            value={condition.relation}
            onChange={(relation) => onChange({ ...condition, relation })}
            required
            mono
          />
          <TextField
            id={`${id}-to`}
            label="To"
            hint="actor.id: the caller."
            value={condition.to}
            onChange={(to) => onChange({ ...condition, to })}
            required
            mono
          />
        </>
      ) : (
        <>
          <TextField
            id={`${id}-field`}
            label="Path"
            value={condition.field}
            onChange={(field) => onChange({ ...condition, field })}
            placeholder="data.ownerId"
            required
            mono
          />
          <SelectField
            id={`${id}-op`}
            label="Compares"
            value={condition.op}
            choices={operators}
            onChange={(op) => onChange({ ...condition, op })}
          />
          <TokenField
            id={`${id}-values`}
            label="Values"
            hint="actor.id: the caller."
            noun="value"
            phrases
            value={condition.values.map(writeValue)}
            onChange={(values) => onChange({ ...condition, values: values.map(readValue) })}
          />
        </>
      )}
    </div>
  )
}
