import type { AgentConfigView } from '../../../../gateway/protocol/agents.ts'
import { type Choice, SelectField } from '../../../ui/choice-fields.tsx'
import { NumberField, TextArea, TextField, wholeNumber } from '../../../ui/text-fields.tsx'
import type { Draft } from './use-draft.ts'

type HearingConfig = AgentConfigView['hearing']

const turnEnds: readonly Choice<HearingConfig['turnDetection']>[] = [
  { value: 'server_vad', name: 'Silence' },
  { value: 'semantic_vad', name: 'A complete sentence' },
]
const eagerness: readonly Choice<HearingConfig['eagerness']>[] = [
  { value: 'auto', name: 'The engine’s own' },
  { value: 'low', name: 'Patient' },
  { value: 'medium', name: 'Medium' },
  { value: 'high', name: 'Eager' },
]
const microphones: readonly Choice<'none' | 'near_field' | 'far_field'>[] = [
  { value: 'none', name: 'None' },
  { value: 'near_field', name: 'Microphone near the mouth' },
  { value: 'far_field', name: 'Microphone in the room' },
]

/** How people are listened to. */
export function Hearing({ draft }: { draft: Draft }) {
  const { config, set, issue } = draft
  const { hearing } = config
  const change = (part: Partial<HearingConfig>) => set('hearing', { ...hearing, ...part })
  return (
    <details className="form-more">
      <summary>How it listens</summary>
      <div className="form-pair">
        <SelectField
          id="turnDetection"
          label="A turn ends with"
          value={hearing.turnDetection}
          choices={turnEnds}
          onChange={(turnDetection) => change({ turnDetection })}
          issue={issue('hearing.turnDetection')}
        />
        {hearing.turnDetection === 'semantic_vad' ? (
          <SelectField
            id="eagerness"
            label="Eagerness"
            value={hearing.eagerness}
            choices={eagerness}
            onChange={(value) => change({ eagerness: value })}
            issue={issue('hearing.eagerness')}
          />
        ) : (
          <NumberField
            id="silenceMs"
            label="Silence"
            unit="ms"
            placeholder="The engine’s own"
            value={hearing.silenceMs}
            onChange={(silenceMs) => change({ silenceMs })}
            parse={wholeNumber}
            refusal="A whole number, please."
            issue={issue('hearing.silenceMs')}
          />
        )}
      </div>
      <div className="form-pair">
        <NumberField
          id="threshold"
          label="Loudness that counts as speech"
          hint="0 to 1. Empty: the engine’s own."
          value={hearing.threshold}
          onChange={(threshold) => change({ threshold })}
          issue={issue('hearing.threshold')}
        />
        <SelectField
          id="noiseReduction"
          label="Noise reduction"
          value={hearing.noiseReduction ?? 'none'}
          choices={microphones}
          onChange={(value) => change({ noiseReduction: value === 'none' ? null : value })}
          issue={issue('hearing.noiseReduction')}
        />
      </div>
      <Transcription hearing={hearing} change={change} issue={issue} />
    </details>
  )
}

interface TranscriptionProps {
  readonly hearing: HearingConfig
  readonly change: (part: Partial<HearingConfig>) => void
  readonly issue: Draft['issue']
}

function Transcription({ hearing, change, issue }: TranscriptionProps) {
  const { transcription } = hearing
  return (
    <>
      <TextField
        id="transcriptionModel"
        label="Model that writes down what is said"
        hint="Empty: the engine’s own."
        value={transcription.model}
        onChange={(model) => change({ transcription: { ...transcription, model } })}
        maxLength={100}
        mono
        issue={issue('hearing.transcription.model')}
      />
      <TextArea
        id="transcriptionPrompt"
        label="Names and words to expect"
        value={transcription.prompt}
        onChange={(prompt) => change({ transcription: { ...transcription, prompt } })}
        maxLength={4_000}
        rows={2}
        issue={issue('hearing.transcription.prompt')}
      />
    </>
  )
}
