import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import type { CreditsView } from '../../../gateway/protocol/rest.ts'
import { creditsQuery, usageQuery } from '../../api/queries.ts'
import { useScope } from '../../api/scope.tsx'
import { count, creditsColumn, credits as inCredits, shortId } from '../../ui/format.ts'
import { Page, Section } from '../../ui/page.tsx'
import { Loading, ProblemBox } from '../../ui/states.tsx'
import { Entries } from './entries.tsx'
import { Tiers, Warnings } from './tiers.tsx'
import { Usage } from './usage.tsx'
import { byDay, daysLeft, lastDays } from './usage-by-day.ts'
import './credits.css'

export function Credits() {
  const scope = useScope()
  const credits = useQuery(creditsQuery(scope))
  return (
    <Page title="Credits" name={`Credits · ${scope.chosen.name}`}>
      {credits.isPending && <Loading rows={3} />}
      {credits.isError && <ProblemBox error={credits.error} onRetry={() => void credits.refetch()} />}
      {credits.isSuccess && (
        <>
          <Warnings credits={credits.data} />
          <Balance credits={credits.data} />
          <Tiers credits={credits.data} />
        </>
      )}
      <Usage />
      {credits.isSuccess && credits.data.holds.length > 0 && <Holds credits={credits.data} />}
      <Entries />
    </Page>
  )
}

/** The pace of a week: long enough to contain a weekend, short enough to notice a change. */
const paceDays = 7

function Balance({ credits }: { credits: CreditsView }) {
  const days = useMemo(() => lastDays(Date.now(), paceDays), [])
  const usage = useQuery(usageQuery(useScope(), days[0] ?? '', days.at(-1) ?? ''))
  const left = usage.data && daysLeft(credits.availableMicro, byDay(days, usage.data.days))
  const refused = credits.availableMicro <= 0 || credits.breached
  return (
    <dl className="tiles">
      <div className="tile" data-main data-low={refused || undefined}>
        <dt>Available</dt>
        <dd className="number">{inCredits(credits.availableMicro)}</dd>
        <dd className="tile-note">{refused ? 'New sessions are refused' : lastsFor(left)}</dd>
      </div>
      <div className="tile">
        <dt>Held</dt>
        <dd className="number">{inCredits(credits.heldMicro)}</dd>
        <dd className="tile-note">
          set aside for {count(credits.holds.length)} running {credits.holds.length === 1 ? 'session' : 'sessions'}
        </dd>
      </div>
      <div className="tile">
        <dt>Posted</dt>
        <dd className="number">{inCredits(credits.postedMicro)}</dd>
        <dd className="tile-note">the balance of all entries</dd>
      </div>
    </dl>
  )
}

function lastsFor(days: number | null | undefined): string {
  if (days === undefined || days === null) return 'to spend on new sessions'
  return `about ${count(days)} ${days === 1 ? 'day' : 'days'} at the last week's pace`
}

function Holds({ credits }: { credits: CreditsView }) {
  return (
    <Section title="Holds" note="Credit set aside for sessions that are running now.">
      <div className="table-wrap">
        <table className="table">
          <caption className="sr">Holds</caption>
          <thead>
            <tr>
              <th scope="col">Session</th>
              <th scope="col">Used of the hold</th>
              <th scope="col" className="end">
                Used
              </th>
              <th scope="col" className="end">
                Held
              </th>
            </tr>
          </thead>
          <tbody>
            {credits.holds.map((hold) => (
              <tr key={hold.id}>
                <td>
                  <Link to="/sessions/$sessionId" params={{ sessionId: hold.sessionId }} title={hold.sessionId}>
                    {shortId(hold.sessionId)}
                  </Link>
                </td>
                <td>
                  <progress
                    value={hold.usedMicro}
                    max={Math.max(hold.amountMicro, 1)}
                    aria-label={`Used of the hold for ${hold.sessionId}`}
                  />
                </td>
                <td className="end number">{creditsColumn(hold.usedMicro)}</td>
                <td className="end number">{creditsColumn(hold.amountMicro)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  )
}
