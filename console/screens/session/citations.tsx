import type { Citation } from '../../../gateway/protocol/citation.ts'

/** What an answer rests on, one line: those that its text refers to, else all that it was given. */
export function Citations({ citations }: { readonly citations: readonly Citation[] }) {
  const marked = citations.filter((each) => each.marked)
  const shown = marked.length > 0 ? marked : citations
  return (
    <ul className="turn-sources" aria-label="Sources">
      {shown.map((each) => (
        <li key={each.n} title={each.heading ?? each.title}>
          <span className="number">{each.n}</span>{' '}
          {each.url === undefined ? nameOf(each) : <Link citation={each} url={each.url} />}
        </li>
      ))}
    </ul>
  )
}

function Link({ citation, url }: { readonly citation: Citation; readonly url: string }) {
  return (
    <a href={url} target="_blank" rel="noreferrer">
      {nameOf(citation)}
    </a>
  )
}

function nameOf({ source, page }: Citation): string {
  return page === undefined ? source : `${source}, p. ${page}`
}
