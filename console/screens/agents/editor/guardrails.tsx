import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { AgentDetail } from '../../../../gateway/protocol/agents.ts'
import { agentsQuery } from '../../../api/agent-queries.ts'
import { useScope } from '../../../api/scope.tsx'
import { RadioCards, SwitchField, TokenField } from '../../../ui/choice-fields.tsx'
import { creditText, parseCredits } from '../../../ui/credit-text.ts'
import { NumberField, wholeNumber } from '../../../ui/text-fields.tsx'
import { autonomyLevels } from '../words.ts'
import { Delegation } from './delegation.tsx'
import { FormSection } from './form-section.tsx'
import type { Draft } from './use-draft.ts'

const unapproved = 'Nobody can approve yet: approvals come with a later version. Until then'

export function Guardrails({ agent, draft }: { agent: AgentDetail; draft: Draft }) {
  return (
    <FormSection id="guardrails" note="What it may do, say and cost.">
      <RadioCards
        {...draft.field('autonomyLevel')}
        label="Autonomy"
        choices={autonomyLevels}
        hint={waitingHint(draft)}
      />
      <Tools draft={draft} />
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

function waitingHint({ config }: Draft): string | undefined {
  return config.autonomyLevel === 'supervised' ? `${unapproved} a supervised agent’s tools do not run.` : undefined
}

function Tools({ draft }: { draft: Draft }) {
  const { config, set } = draft
  const known = useKnownTools(config.enabledTools)
  return (
    <>
      <TokenField
        {...draft.field('enabledTools')}
        label="Tools it may use"
        hint="Names of the tenant’s tools."
        noun="tool"
        suggestions={known}
      />
      <TokenField
        {...draft.field('requireApprovalFor')}
        label="Ask before using"
        hint={`A person approves each use. ${unapproved} these tools do not run.`}
        noun="tool"
        suggestions={config.enabledTools}
      />
      <TokenField
        {...draft.field('disabledTools')}
        label="Tools it never uses"
        hint="Wins over every permission."
        noun="tool"
        suggestions={known}
      />
      <SwitchField
        id="clientTools"
        label="Your backend may bring its own tools"
        hint="Calls with an API key may add function tools that your backend runs."
        checked={config.clientTools}
        onChange={(checked) => set('clientTools', checked)}
      />
    </>
  )
}

/** What the tenant's agents use already. */
function useKnownTools(own: readonly string[]): readonly string[] {
  const agents = useQuery(agentsQuery(useScope())).data
  return useMemo(
    () => [...new Set([...own, ...(agents ?? []).flatMap((agent) => agent.tools)])].toSorted(),
    [own, agents],
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
