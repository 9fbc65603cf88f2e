import { RadioCards, SelectField, SwitchField, TokenField } from '../../../ui/choice-fields.tsx'
import { NumberField, TextField, wholeNumber } from '../../../ui/text-fields.tsx'
import { engineNames } from '../words.ts'
import { FormSection } from './form-section.tsx'
import { Hearing } from './hearing.tsx'
import type { Draft } from './use-draft.ts'
import { OffModels, useWritingModels } from './writing-models.tsx'

export function Model({ draft }: { draft: Draft }) {
  return (
    <FormSection id="model" note="Which model writes, and which one speaks.">
      <Writing draft={draft} />
      <Speaking draft={draft} />
      <Hearing draft={draft} />
    </FormSection>
  )
}

function Writing({ draft }: { draft: Draft }) {
  const known = useWritingModels(draft.config.modelProvider, draft.config.modelId)
  return (
    <>
      <h3 className="form-part">In writing</h3>
      <div className="form-pair">
        <TextField
          {...draft.field('modelProvider')}
          label="Provider"
          hint={offHint(known.providerOff) ?? 'Empty: the best this gateway has a key for.'}
          suggestions={known.providers}
          maxLength={60}
          mono
        />
        <TextField
          {...draft.field('modelId')}
          label="Model"
          hint={offHint(known.modelOff) ?? 'Empty: the provider’s first choice.'}
          suggestions={known.models}
          maxLength={120}
          mono
        />
      </div>
      <TokenField
        {...draft.field('fallbackModels')}
        label="Stand-in models"
        hint="Tried in this order when the first one fails. Of another provider: its name and a colon first."
        noun="model"
        suggestions={known.standIns}
      />
      <OffModels off={known.off} />
      <div className="form-pair">
        <NumberField
          {...draft.field('temperature')}
          label="Temperature"
          hint="0 is strict, 2 is free. Empty: the model’s own."
          range={{ min: 0, max: 2, step: 0.05 }}
          placeholder="Own"
        />
        <NumberField
          {...draft.field('maxTokens')}
          label="Longest answer"
          hint="Empty: the model’s own limit."
          unit="tokens"
          parse={wholeNumber}
          refusal="A whole number, please."
        />
      </div>
    </>
  )
}

function offHint(why: string | undefined): string | undefined {
  return why === undefined ? undefined : `Off here: ${why}`
}

function Speaking({ draft }: { draft: Draft }) {
  const { config, set, issue } = draft
  const stand = config.fallbackEngines
  return (
    <>
      <h3 className="form-part">Aloud</h3>
      <SwitchField
        id="speaks"
        label="Visitors may talk to it"
        hint="The widget shows its microphone."
        checked={config.speaks}
        onChange={(checked) => set('speaks', checked)}
      />
      <div className="form-pair">
        <SelectField
          {...draft.field('engine')}
          label="Engine"
          choices={[{ value: 'auto', name: 'The best this gateway has' }, ...engineNames]}
        />
        <TextField {...draft.field('voice')} label="Voice" hint="Empty: the engine’s default." maxLength={64} mono />
      </div>
      <TextField
        {...draft.field('model')}
        label="Engine’s model"
        hint="Empty: the engine’s default."
        maxLength={100}
        mono
      />
      <TokenField
        id="fallbackEngines"
        label="Stand-in engines"
        hint="In this order they serve where the first cannot, and go on when it is lost."
        noun="engine"
        value={stand}
        onChange={(value) =>
          set(
            'fallbackEngines',
            value.flatMap((name) => engineNames.find((one) => one.value === name)?.value ?? []),
          )
        }
        suggestions={engineNames.map((one) => one.value)}
        issue={issue('fallbackEngines')}
      />
      <RadioCards
        {...draft.field('media')}
        label="Sound"
        choices={[
          {
            value: 'relayed',
            name: 'Through this gateway',
            note: 'Heard to the sample, echo taken out, can be recorded.',
          },
          {
            value: 'direct',
            name: 'Straight to the provider',
            note: 'Sooner heard, where the engine has it; less is known.',
          },
        ]}
      />
    </>
  )
}
