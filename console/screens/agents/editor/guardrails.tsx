import { Link } from '@tanstack/react-router'
import type { AgentDetail, AutonomyLevel } from '../../../../gateway/protocol/agents.ts'
import { RadioCards, TokenField } from '../../../ui/choice-fields.tsx'
import { creditText, parseCredits } from '../../../ui/credit-text.ts'
import { NumberField, wholeNumber } from '../../../ui/text-fields.tsx'
import { autonomyLevels } from '../words.ts'
import { Delegation } from './delegation.tsx'
import { FormSection } from './form-section.tsx'
import { AgentTools } from './tools.tsx'
import type { Draft } from './use-draft.ts'

export function Guardrails({ agent, draft }: { agent: AgentDetail; draft: Draft }) {
  return (
    <FormSection id="guardrails" note="What it may do, say and cost.">
      <RadioCards
        {...draft.field('autonomyLevel')}
        label="Autonomy"
        choices={autonomyLevels}
        hint={<WhereAsked level={draft.config.autonomyLevel} />}
      />
      <AgentTools draft={draft} />
      <TokenField
        {...draft.field('blockedTopics')}
        label="Topics it declines"
        hint="One at a time; Enter adds it."
        noun="topic"
        phrases
        placeholder="Legal advice"
      />
      <Delegation agent={agent} draft={draft} />
      <Caps draft={draft} />
    </FormSection>
  )
}

function WhereAsked({ level }: { level: AutonomyLevel }) {
  if (level === 'draft_only') return 'Whatever would change something is refused.'
  return (
    <>
      Requests wait under <Link to="/approvals">Approvals</Link> for 24 hours. What is only shown, such as product
      cards, asks nobody.
    </>
  )
}

function Caps({ draft }: { draft: Draft }) {
  const { config, set, issue } = draft
  const { limits } = config
  const minutes = { parse: minutesToMs, format: msToMinutes, refusal: 'Minutes, please, such as 1.5.', required: true }
  return (
    <>
      <h3 className="form-part">Limits</h3>
      <div className="form-pair">
        <NumberField
          {...draft.field('maxMessagesPerDay')}
          label="Messages a day"
          hint="Then it answers nobody until midnight UTC. Empty: no limit."
          parse={wholeNumber}
          refusal="A whole number, please."
        />
        <CreditField
          {...draft.field('maxCostPerDay')}
          label="Cost a day"
          hint="Empty: only the tenant’s credit limits it."
        />
        <CreditField
          id="sessionCreditsMicro"
          label="Cost of one call"
          hint="Empty: only the tenant’s credit limits it."
          value={limits.sessionCreditsMicro}
          onChange={(value) => set('limits', { ...limits, sessionCreditsMicro: value })}
          issue={issue('limits.sessionCreditsMicro')}
        />
        <NumberField
          id="maxDurationMs"
          label="Longest call"
          unit="min"
          value={limits.maxDurationMs}
          onChange={(value) => value !== null && set('limits', { ...limits, maxDurationMs: value })}
          {...minutes}
          issue={issue('limits.maxDurationMs')}
        />
        <NumberField
          id="idleMs"
          label="Ends a call after silence of"
          unit="min"
          value={limits.idleMs}
          onChange={(value) => value !== null && set('limits', { ...limits, idleMs: value })}
          {...minutes}
          issue={issue('limits.idleMs')}
        />
      </div>
    </>
  )
}

type CreditFieldProps = Pick<
  Parameters<typeof NumberField>[0],
  'id' | 'label' | 'hint' | 'value' | 'onChange' | 'issue'
>

function CreditField(props: CreditFieldProps) {
  return (
    <NumberField
      {...props}
      unit="credits"
      parse={parseCredits}
      format={creditText}
      refusal="An amount of credits with at most six decimals, please."
    />
  )
}

function minutesToMs(text: string): number | undefined {
  const minutes = Number(text.trim().replace(',', '.'))
  return Number.isFinite(minutes) && minutes > 0 ? Math.round(minutes * 60_000) : undefined
}

function msToMinutes(ms: number): string {
  return String(ms / 60_000)
}
