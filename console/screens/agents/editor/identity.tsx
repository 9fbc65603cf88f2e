import { SelectField, SwitchField } from '../../../ui/choice-fields.tsx'
import { TextArea, TextField } from '../../../ui/text-fields.tsx'
import { subtypes } from '../words.ts'
import { FormSection } from './form-section.tsx'
import type { Draft } from './use-draft.ts'

const languages = ['en', 'de', 'fr', 'es', 'it', 'nl', 'pt-BR', 'pl', 'tr', 'ar', 'ja', 'zh']

export function Identity({ draft }: { draft: Draft }) {
  const { issue } = draft
  return (
    <FormSection id="identity" note="Who speaks, and how.">
      <div className="form-pair">
        <TextField
          id="name"
          label="Name"
          hint="For you and your team."
          value={draft.name}
          onChange={draft.rename}
          maxLength={120}
          required
          issue={issue('name')}
        />
        <SelectField
          id="subtype"
          label="Kind"
          value={draft.subtype}
          choices={subtypes}
          onChange={draft.reclassify}
          issue={issue('subtype')}
        />
      </div>
      <div className="form-pair">
        <TextField
          {...draft.field('displayName')}
          label="Display name"
          hint="What it calls itself. Empty: its name."
          placeholder={draft.name}
          maxLength={120}
        />
        <TextField
          {...draft.field('language')}
          label="Language"
          hint="As a tag: en, de, pt-BR."
          suggestions={languages}
          mono
        />
      </div>
      <TextArea
        {...draft.field('personality')}
        label="Personality"
        hint="How it comes across."
        placeholder="Warm, brief, never pushy."
        maxLength={4_000}
        rows={2}
      />
      <TextArea
        {...draft.field('brandVoiceInstructions')}
        label="Brand voice"
        hint="Words you use and words you avoid."
        placeholder="We say “guests”, never “customers”."
        maxLength={8_000}
        rows={2}
      />
      <TextArea
        {...draft.field('systemPrompt')}
        label="System prompt"
        hint="What it is there for, step by step. Joined with everything else into one prompt: see “Prompt”."
        maxLength={32_000}
        rows={8}
      />
      <Words draft={draft} />
    </FormSection>
  )
}

function Words({ draft }: { draft: Draft }) {
  const { config, set, issue } = draft
  return (
    <>
      <SwitchField
        id="library"
        label="Begin with the prompt library"
        hint="Puts the tenant’s prompt of the library, or the shared first one, before this prompt."
        checked={config.library}
        onChange={(checked) => set('library', checked)}
      />
      <TextField
        id="greeting"
        label="Greeting"
        hint="Said first. Empty: the visitor begins."
        value={config.greeting ?? ''}
        onChange={(value) => set('greeting', value === '' ? null : value)}
        maxLength={500}
        issue={issue('greeting')}
      />
      <TextField
        {...draft.field('closing')}
        label="Closing words"
        hint="Said before the end when time or credit runs out."
        maxLength={500}
      />
    </>
  )
}
