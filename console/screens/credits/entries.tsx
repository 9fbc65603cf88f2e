import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { EntryView } from '../../../gateway/protocol/rest.ts'
import { entriesQuery } from '../../api/queries.ts'
import { useScope } from '../../api/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { creditsColumn, shortId, signedCredits } from '../../ui/format.ts'
import { Section } from '../../ui/page.tsx'
import { Pill } from '../../ui/pill.tsx'
import { Empty, Loading, ProblemBox } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import { entryKinds, unknownWord } from '../../ui/words.ts'

export function Entries() {
  const scope = useScope()
  const pages = useInfiniteQuery(entriesQuery(scope))
  const entries = pages.data?.pages.flatMap((page) => page.items) ?? []
  const download = (
    <a className="button" data-variant="plain" href={entriesCsvOf(scope.tenant)} download>
      Download CSV
    </a>
  )
  return (
    <Section
      title="Ledger"
      note="Every movement, newest first. Entries are never changed, only added."
      actions={entries.length > 0 && download}
    >
      {pages.isPending && <Loading rows={6} />}
      {pages.isSuccess && entries.length === 0 && (
        <Empty icon="credits" title="No entries yet">
          <p>Grants, purchases and settled sessions are listed here.</p>
        </Empty>
      )}
      {entries.length > 0 && <EntryTable entries={entries} />}
      {pages.isError && <ProblemBox error={pages.error} onRetry={() => void pages.fetchNextPage()} />}
      {pages.hasNextPage && !pages.isError && (
        <Button onClick={() => void pages.fetchNextPage()} busy={pages.isFetchingNextPage}>
          Show older entries
        </Button>
      )}
    </Section>
  )
}

function entriesCsvOf(tenant: string): string {
  return `/v1/credits/entries.csv?${new URLSearchParams({ tenant })}`
}

function EntryTable({ entries }: { entries: readonly EntryView[] }) {
  return (
    <div className="table-wrap">
      <table className="table">
        <caption className="sr">Ledger entries in credits</caption>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Kind</th>
            <th scope="col" className="wide-only">
              Note
            </th>
            <th scope="col" className="end">
              Amount
            </th>
            <th scope="col" className="end">
              Balance
            </th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <EntryRow key={entry.id} entry={entry} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function EntryRow({ entry }: { entry: EntryView }) {
  const kind = entryKinds[entry.kind]
  // Debt moves no balance: its amount is what is owed.
  const owed = entry.kind === 'debt' ? (entry.debtMicro ?? 0) : 0
  return (
    <tr data-entry={entry.id}>
      <td className="quiet nowrap">
        <Time at={entry.at} />
      </td>
      <td>
        <Pill tone={kind?.tone ?? 'neutral'}>{kind?.text ?? unknownWord(entry.kind)}</Pill>
      </td>
      <td className="wide-only">
        {entry.sessionId === undefined ? (
          entry.note
        ) : (
          <>
            <Link to="/sessions/$sessionId" params={{ sessionId: entry.sessionId }} title={entry.sessionId}>
              {shortId(entry.sessionId)}
            </Link>{' '}
            <span className="quiet">{entry.note}</span>
          </>
        )}
      </td>
      <td className="end number" data-sign={entry.amountMicro > 0 ? 'plus' : 'minus'}>
        {owed > 0 ? `${creditsColumn(owed)} owed` : signedCredits(entry.amountMicro)}
      </td>
      <td className="end number">{creditsColumn(entry.balanceMicro)}</td>
    </tr>
  )
}
