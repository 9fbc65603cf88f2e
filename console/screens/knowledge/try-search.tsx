import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { KnowledgeFinding } from '../../../gateway/protocol/knowledge.ts'
import { knowledgeSearchQuery } from '../../api/knowledge-queries.ts'
import { useScope } from '../../api/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Loading, ProblemBox } from '../../ui/states.tsx'

/** What an agent would find, passage by passage, with the source as an answer cites it. */
export function TrySearch() {
  const [text, setText] = useState('')
  const [asked, setAsked] = useState('')
  const found = useQuery({ ...knowledgeSearchQuery(useScope(), asked), staleTime: 0 })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (text.trim() === asked) void found.refetch()
    else setAsked(text.trim())
  }
  return (
    <section className="try-search" aria-label="Try a search">
      <h2>Try a search</h2>
      <p className="quiet">Ask as a visitor would. These passages are what an agent is given to answer with.</p>
      <form onSubmit={submit} className="try-search-form">
        <input
          type="search"
          className="input"
          aria-label="Question"
          placeholder="How long may I return a sofa?"
          value={text}
          maxLength={300}
          onChange={(event) => setText(event.target.value)}
        />
        <Button type="submit" icon="search" busy={found.isFetching} disabled={text.trim() === ''}>
          Search
        </Button>
      </form>
      {asked !== '' && found.isPending && <Loading rows={4} label="Searching" />}
      {found.isError && <ProblemBox error={found.error} />}
      {found.isSuccess && (
        <>
          <p role="status" className="quiet">
            {found.data.items.length === 0
              ? 'Nothing fits: an agent would say that it does not know.'
              : `${found.data.items.length} passages, the best first.`}
          </p>
          <ol className="findings">
            {found.data.items.map((finding, at) => (
              <Finding key={at} finding={finding} n={at + 1} />
            ))}
          </ol>
        </>
      )}
    </section>
  )
}

function Finding({ finding, n }: { finding: KnowledgeFinding; n: number }) {
  const place = [finding.heading, finding.page === null ? null : `page ${finding.page}`].filter(
    (each) => each !== null && each !== '',
  )
  return (
    <li>
      <p className="finding-source">
        <span className="number">[{n}]</span> <Icon name={finding.url === null ? 'file' : 'globe'} />
        <strong>{finding.source ?? finding.title}</strong>
        {place.length > 0 && <small>{place.join(' · ')}</small>}
      </p>
      <p className="finding-text">{finding.text}</p>
    </li>
  )
}
