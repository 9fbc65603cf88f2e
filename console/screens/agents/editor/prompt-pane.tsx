import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { AgentDetail } from '../../../../gateway/protocol/agents.ts'
import { promptQuery } from '../../../api/agent-queries.ts'
import { useScope } from '../../../api/scope.tsx'
import { CopyButton } from '../../../ui/copy.tsx'
import { count } from '../../../ui/format.ts'
import { Loading, ProblemBox } from '../../../ui/states.tsx'

const names: Readonly<Record<string, string>> = {
  library: 'Prompt library',
  identity: 'Identity',
  personality: 'Personality',
  language: 'Language',
  brand_voice: 'Brand voice',
  system: 'System prompt',
  faq: 'Questions and answers',
  guardrails: 'Guardrails',
}

/** The prompt as the model gets it, built by the gateway of what is saved. */
export function PromptPane({ agent, dirty }: { agent: AgentDetail; dirty: boolean }) {
  const [environment, setEnvironment] = useState<'draft' | 'live'>('draft')
  const scope = useScope()
  const prompt = useQuery({ ...promptQuery(scope, agent.id, environment), staleTime: 0 })
  return (
    <div className="side-pane">
      <div className="side-bar">
        <fieldset className="segments" aria-label="Which prompt">
          <button type="button" aria-pressed={environment === 'draft'} onClick={() => setEnvironment('draft')}>
            Draft
          </button>
          <button
            type="button"
            aria-pressed={environment === 'live'}
            disabled={agent.live === null}
            onClick={() => setEnvironment('live')}
          >
            Live
          </button>
        </fieldset>
        {prompt.isSuccess && <CopyButton text={prompt.data.text} label="Copy" />}
      </div>
      {dirty && environment === 'draft' && <p className="side-note">Save the draft to see your changes here.</p>}
      {prompt.isPending && <Loading rows={6} label="Building the prompt" />}
      {prompt.isError && <ProblemBox error={prompt.error} onRetry={() => void prompt.refetch()} />}
      {prompt.isSuccess && (
        <>
          <p className="side-note">{count(prompt.data.text.length)} characters, in this order:</p>
          {prompt.data.sections.map((section) => (
            <section key={section.name} className="prompt-part" aria-label={names[section.name] ?? section.name}>
              <h3>{names[section.name] ?? section.name}</h3>
              {section.text === '' ? <p className="quiet">Nothing: left out.</p> : <pre>{section.text}</pre>}
            </section>
          ))}
        </>
      )}
    </div>
  )
}
