import { type FormEvent, type RefObject, useEffect, useState } from 'react'
import type { AgentDetail } from '../../../../gateway/protocol/agents.ts'
import { Button } from '../../../ui/button.tsx'
import { Icon } from '../../../ui/icon.tsx'
import { Channels } from './channels.tsx'
import { Guardrails } from './guardrails.tsx'
import { Identity } from './identity.tsx'
import { Knowledge } from './knowledge.tsx'
import { Model } from './model.tsx'
import { type SectionId, sectionOf, sections } from './sections.ts'
import type { Draft } from './use-draft.ts'

interface AgentFormProps {
  readonly agent: AgentDetail
  readonly draft: Draft
  readonly formRef: RefObject<HTMLFormElement | null>
  readonly onSubmit: (event: FormEvent<HTMLFormElement>) => void
}

/** All sections in one scroll, so that the browser's own search finds every field. */
export function AgentForm({ agent, draft, formRef, onSubmit }: AgentFormProps) {
  return (
    <div className="editor-form">
      <SectionNav draft={draft} />
      <form id="agent-form" ref={formRef} onSubmit={onSubmit} noValidate aria-label={`Draft of ${agent.name}`}>
        {draft.conflict && <Conflict draft={draft} />}
        <Unplaced draft={draft} />
        <Identity draft={draft} />
        <Knowledge draft={draft} />
        <Model draft={draft} />
        <Guardrails agent={agent} draft={draft} />
        <Channels draft={draft} />
      </form>
    </div>
  )
}

function SectionNav({ draft }: { draft: Draft }) {
  const current = useCurrentSection()
  const wrong = (id: SectionId) => draft.issues.filter((issue) => sectionOf(issue.path) === id).length
  return (
    <nav className="section-nav" aria-label="Sections">
      {sections.map(({ id, name }) => (
        <a
          key={id}
          href={`#section-${id}`}
          aria-current={current === id ? 'true' : undefined}
          onClick={(event) => {
            event.preventDefault()
            document.getElementById(`section-${id}`)?.scrollIntoView({ block: 'start' })
            document.getElementById(`heading-${id}`)?.focus({ preventScroll: true })
          }}
        >
          {name}
          {wrong(id) > 0 && (
            <span className="section-wrong">
              {wrong(id)} <span className="sr">to correct</span>
            </span>
          )}
        </a>
      ))}
    </nav>
  )
}

/** The section whose heading was passed last. */
function useCurrentSection(): SectionId {
  const [current, setCurrent] = useState<SectionId>('identity')
  useEffect(() => {
    const form = document.getElementById('agent-form')
    if (form === null) return
    const onScroll = () => {
      const top = form.getBoundingClientRect().top + 60
      const end = form.scrollTop + form.clientHeight >= form.scrollHeight - 2
      const passed = sections.filter(
        ({ id }) => (document.getElementById(`section-${id}`)?.getBoundingClientRect().top ?? 0) <= top,
      )
      setCurrent((end ? sections.at(-1) : passed.at(-1))?.id ?? 'identity')
    }
    form.addEventListener('scroll', onScroll, { passive: true })
    return () => form.removeEventListener('scroll', onScroll)
  }, [])
  return current
}

function Conflict({ draft }: { draft: Draft }) {
  return (
    <div className="problem editor-problem" role="alert">
      <Icon name="alert" />
      <p>Somebody else saved this draft while you worked on it.</p>
      <Button onClick={draft.discard}>Take theirs</Button>
      <Button variant="danger" busy={draft.saving} onClick={() => void draft.overwrite()}>
        Keep mine
      </Button>
    </div>
  )
}

/** What the gateway refuses and no field shows. */
function Unplaced({ draft }: { draft: Draft }) {
  const lost = draft.issues.filter((issue) => sectionOf(issue.path) === undefined)
  if (lost.length === 0) return null
  return (
    <div className="problem editor-problem" role="alert">
      <Icon name="alert" />
      <p>{lost.map((issue) => `${issue.path}: ${issue.message}`).join(' · ')}</p>
    </div>
  )
}
