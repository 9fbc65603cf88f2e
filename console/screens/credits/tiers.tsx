import type { CreditsView, CreditTier, TierBalance } from '../../../gateway/protocol/rest.ts'
import { absolute, creditsColumn, credits as inCredits } from '../../ui/format.ts'
import { Icon } from '../../ui/icon.tsx'
import { Section } from '../../ui/page.tsx'

/** What an operator must know before anything else on this screen. */
export function Warnings({ credits }: { credits: CreditsView }) {
  return (
    <>
      {credits.breached && (
        <div className="problem credit-warning" role="alert" data-breach>
          <Icon name="alert" />
          <p>
            <strong>The ledger and this balance do not agree.</strong> Running sessions go on, new ones are refused
            until <code>npm run ledger:check</code> finds nothing.
          </p>
        </div>
      )}
      {credits.debtMicro > 0 && (
        <div className="problem credit-warning" role="alert" data-debt>
          <Icon name="alert" />
          <p>
            <strong>{inCredits(credits.debtMicro)} credits are owed</strong> after a refund of spent credit or a fee.
            The next credit that comes in pays them first; until then new sessions are refused.
          </p>
        </div>
      )}
    </>
  )
}

const rows: readonly (readonly [CreditTier, string])[] = [
  ['daily', 'Daily'],
  ['monthly', 'Monthly'],
  ['purchased', 'Purchased'],
]

export function Tiers({ credits }: { credits: CreditsView }) {
  return (
    <Section title="Tiers" note="Spent from top to bottom, what ends first before what ends later.">
      <div className="table-wrap">
        <table className="table">
          <caption className="sr">Credit per tier</caption>
          <thead>
            <tr>
              <th scope="col">Tier</th>
              <th scope="col">Next to end</th>
              <th scope="col" className="end">
                Held
              </th>
              <th scope="col" className="end">
                Available
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([tier, name]) => (
              <TierRow key={tier} tier={tier} name={name} balance={credits.tiers[tier]} />
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  )
}

function TierRow({ tier, name, balance }: { tier: CreditTier; name: string; balance: TierBalance }) {
  return (
    <tr data-tier={tier}>
      <th scope="row">{name}</th>
      <td className="quiet">{balance.nextExpiryAt === null ? '–' : absolute(balance.nextExpiryAt)}</td>
      <td className="end number">{creditsColumn(balance.heldMicro)}</td>
      <td className="end number">{creditsColumn(balance.availableMicro)}</td>
    </tr>
  )
}
