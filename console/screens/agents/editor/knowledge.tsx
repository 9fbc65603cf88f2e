import { useRef } from 'react'
import type { AgentConfigView } from '../../../../gateway/protocol/agents.ts'
import { Button, IconButton } from '../../../ui/button.tsx'
import { type Choice, SelectField } from '../../../ui/choice-fields.tsx'
import { FieldGroup } from '../../../ui/field.tsx'
import { TextArea, TextField } from '../../../ui/text-fields.tsx'
import { FormSection } from './form-section.tsx'
import type { Draft } from './use-draft.ts'

type FaqEntry = AgentConfigView['faqEntries'][number]

export function Knowledge({ draft }: { draft: Draft }) {
  const { config, set, issue } = draft
  const list = useRef<HTMLOListElement>(null)
  const entries = config.faqEntries
  const change = (at: number, part: Partial<FaqEntry>) =>
    set(
      'faqEntries',
      entries.map((entry, index) => (index === at ? { ...entry, ...part } : entry)),
    )
  const add = () => {
    set('faqEntries', [...entries, { question: '', answer: '' }])
    // The new row exists after the next paint.
    requestAnimationFrame(() => list.current?.querySelector<HTMLInputElement>('li:last-child input')?.focus())
  }
  return (
    <FormSection id="knowledge" note="What it knows by heart.">
      <FieldGroup
        id="faqEntries"
        label="Questions and answers"
        hint={entries.length === 0 ? 'What people ask most, with the answer you want them to get.' : undefined}
        issue={issue('faqEntries')}
      >
        {entries.length > 0 && (
          <ol className="faq" ref={list}>
            {entries.map((entry, at) => (
              <li key={at}>
                <TextField
                  id={`faq-${at}-question`}
                  label={`Question ${at + 1}`}
                  value={entry.question}
                  onChange={(question) => change(at, { question })}
                  maxLength={500}
                  issue={issue(`faqEntries.${at}.question`)}
                />
                <TextArea
                  id={`faq-${at}-answer`}
                  label={`Answer ${at + 1}`}
                  value={entry.answer}
                  onChange={(answer) => change(at, { answer })}
                  maxLength={4_000}
                  rows={2}
                  issue={issue(`faqEntries.${at}.answer`)}
                />
                <IconButton
                  icon="trash"
                  label={`Remove question ${at + 1}`}
                  onClick={() =>
                    set(
                      'faqEntries',
                      entries.filter((_, index) => index !== at),
                    )
                  }
                />
              </li>
            ))}
          </ol>
        )}
        <div>
          <Button icon="plus" onClick={add}>
            Add a question
          </Button>
        </div>
      </FieldGroup>
      <SelectField
        id="useSystemKnowledge"
        label="Handbook of marketing, sales and strategy"
        hint="Fifteen documents that come with this gateway; what fits a question is given to the agent."
        value={systemKnowledgeOf(config.useSystemKnowledge)}
        choices={systemKnowledge}
        onChange={(value) => set('useSystemKnowledge', value === 'kind' ? null : value === 'yes')}
        issue={issue('useSystemKnowledge')}
      />
    </FormSection>
  )
}

type SystemKnowledge = 'kind' | 'yes' | 'no'
const systemKnowledge: readonly Choice<SystemKnowledge>[] = [
  { value: 'kind', name: 'As usual for its kind' },
  { value: 'yes', name: 'Use it' },
  { value: 'no', name: 'Do not use it' },
]

function systemKnowledgeOf(uses: boolean | null): SystemKnowledge {
  if (uses === null) return 'kind'
  return uses ? 'yes' : 'no'
}
