import { useQuery } from '@tanstack/react-query'
import { useId, useState } from 'react'
import type { AgentDetail } from '../../../../gateway/protocol/agents.ts'
import { agentsQuery } from '../../../api/agent-queries.ts'
import { useScope } from '../../../api/scope.tsx'
import { RadioCards } from '../../../ui/choice-fields.tsx'
import { FieldGroup } from '../../../ui/field.tsx'
import type { Draft } from './use-draft.ts'

const manners = [
  { value: 'none', name: 'Nobody', note: 'It answers everything itself.' },
  { value: 'all', name: 'Any agent', note: 'Every deployed and active agent of this tenant.' },
  { value: 'chosen', name: 'Chosen agents', note: 'Only those ticked below.' },
] as const

type Manner = (typeof manners)[number]['value']

/** To whom a written message may be passed on. An empty choice is the same as nobody, so it is kept here until one is ticked. */
export function Delegation({ agent, draft }: { agent: AgentDetail; draft: Draft }) {
  const { value, onChange, issue } = draft.field('delegates')
  const [choosing, setChoosing] = useState(false)
  const manner: Manner = value === 'all' ? 'all' : value.length > 0 || choosing ? 'chosen' : 'none'
  const choose = (next: Manner) => {
    setChoosing(next === 'chosen')
    onChange(next === 'all' ? 'all' : next === 'chosen' && value !== 'all' ? value : [])
  }
  return (
    <>
      <RadioCards
        id="delegates"
        label="May pass a message on to"
        hint="In writing: who fits a message best answers it."
        value={manner}
        choices={manners}
        onChange={choose}
        issue={manner === 'chosen' ? undefined : issue}
      />
      {manner === 'chosen' && value !== 'all' && (
        <ChosenAgents own={agent.slug} value={value} onChange={onChange} issue={issue} />
      )}
    </>
  )
}

interface ChosenProps {
  readonly own: string
  readonly value: readonly string[]
  readonly onChange: (value: string[]) => void
  readonly issue: string | undefined
}

function ChosenAgents({ own, value, onChange, issue }: ChosenProps) {
  const agents = useQuery(agentsQuery(useScope())).data ?? []
  const others = agents.filter(({ slug, status }) => slug !== own && (status !== 'archived' || value.includes(slug)))
  // Named once, and gone since: it can be taken off.
  const gone = value.filter((slug) => !others.some((each) => each.slug === slug))
  const rows = [
    ...others.map(({ slug, name, status }) => ({
      slug,
      name,
      note: status === 'active' ? slug : `${slug}, ${status}`,
    })),
    ...gone.map((slug) => ({ slug, name: slug, note: 'no such agent here' })),
  ]
  const prefix = useId()
  return (
    <FieldGroup id="delegates-chosen" label="Chosen agents" hint={hintOf(rows.length, value.length)} issue={issue}>
      <ul className="delegates">
        {rows.map(({ slug, name, note }) => (
          <li key={slug}>
            <input
              type="checkbox"
              id={`${prefix}-${slug}`}
              checked={value.includes(slug)}
              onChange={(event) =>
                onChange(event.target.checked ? [...value, slug] : value.filter((each) => each !== slug))
              }
            />
            <label htmlFor={`${prefix}-${slug}`}>
              {name} <small>{note}</small>
            </label>
          </li>
        ))}
      </ul>
    </FieldGroup>
  )
}

function hintOf(rows: number, ticked: number): string {
  if (rows === 0) return 'There is no other agent yet.'
  return ticked === 0 ? 'None is ticked: it answers everything itself.' : 'An agent that is not active is passed over.'
}
