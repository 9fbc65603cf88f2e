import { RadioCards, SelectField } from '../../../ui/choice-fields.tsx'
import { creditText, parseCredits } from '../../../ui/credit-text.ts'
import { NumberField, TextArea, TextField } from '../../../ui/text-fields.tsx'
import { categories, categoryName } from '../words.ts'
import type { PartProps } from './request-fields.tsx'
import { usualRetry } from './tool-form.ts'

interface AboutProps extends PartProps {
  readonly isNew: boolean
  readonly taken: boolean
}

/** What it is called, what the model is told, and what it does to the world. */
export function AboutFields({ form, set, issue, isNew, taken }: AboutProps) {
  return (
    <>
      <div className="form-pair">
        <TextField
          id="tool-name"
          label="Name"
          hint={isNew ? 'As models call it: letters, digits, dashes and underscores.' : 'It stays: agents name it so.'}
          value={form.name}
          onChange={(name) => set({ name })}
          placeholder="order_status"
          maxLength={64}
          readOnly={!isNew}
          mono
          required
          issue={taken ? 'There is a tool of this name already.' : issue('name')}
        />
        <SelectField
          id="tool-category"
          label="Category"
          value={form.category}
          choices={categories.map((value) => ({ value, name: categoryName(value) }))}
          onChange={(category) => set({ category })}
        />
      </div>
      <TextArea
        id="tool-description"
        label="Description"
        hint="What it does and what it answers, in a sentence or two. The model chooses by it."
        value={form.description}
        onChange={(description) => set({ description })}
        maxLength={1_000}
        rows={2}
        issue={issue('description')}
      />
      <TextArea
        id="tool-instructions"
        label="When to use it (optional)"
        hint="Goes into the prompt of every agent that has it."
        value={form.instructions}
        onChange={(instructions) => set({ instructions })}
        maxLength={4_000}
        rows={2}
        issue={issue('instructions')}
      />
      <RadioCards
        id="tool-effect"
        label="Effect"
        value={form.readOnly ? 'reads' : 'changes'}
        choices={[
          { value: 'reads', name: 'Looks up', note: 'Changes nothing anywhere. Read-only agents may use it.' },
          { value: 'changes', name: 'Changes', note: 'Orders, sends, writes, deletes.' },
        ]}
        onChange={(effect) => set({ readOnly: effect === 'reads', retry: usualRetry(effect === 'reads') })}
      />
    </>
  )
}

export function LimitFields({ form, set, issue }: PartProps) {
  return (
    <>
      <div className="form-pair">
        <NumberField
          id="tool-cost"
          label="Credits a call"
          hint="Empty: as the tenant’s prices say."
          value={form.creditCostMicro}
          onChange={(creditCostMicro) => set({ creditCostMicro })}
          unit="credits"
          parse={parseCredits}
          format={creditText}
          refusal="An amount of credits with at most six decimals, please."
          issue={issue('creditCostMicro')}
        />
        <NumberField
          id="tool-timeout"
          label="Longest wait"
          hint="Beyond it the agent says that it is still checking, and goes on."
          value={form.timeoutMs}
          onChange={(timeoutMs) => timeoutMs !== null && set({ timeoutMs })}
          unit="s"
          parse={secondsToMs}
          format={(ms) => String(ms / 1_000)}
          refusal="Seconds, please, such as 2.5."
          required
          issue={issue('timeoutMs')}
        />
      </div>
      <SelectField
        id="tool-retry"
        label="When an answer is lost on the way"
        value={form.retry}
        choices={[
          { value: 'again', name: 'Ask again: doing it twice harms nobody' },
          { value: 'keyed', name: 'Ask again with the same key: the service does it once' },
          { value: 'unknown', name: 'Tell it as unknown: nobody tries again' },
        ]}
        onChange={(retry) => set({ retry })}
      />
    </>
  )
}

function secondsToMs(text: string): number | undefined {
  const seconds = Number(text.trim().replace(',', '.'))
  return Number.isFinite(seconds) && seconds > 0 ? Math.round(seconds * 1_000) : undefined
}
