import type { ApprovalView } from '../../../gateway/protocol/approvals.ts'
import { isObject, parseJson } from '../../ui/json.ts'
import { JsonFacts } from '../../ui/json-facts.tsx'
import { Pill } from '../../ui/pill.tsx'
import { Time } from '../../ui/time.tsx'
import { stateWords } from './words.ts'

const deliveries: Readonly<Record<ApprovalView['delivery'], string>> = {
  none: '',
  owed: 'The contact is not told yet.',
  told: 'The contact was told.',
  lost: 'The contact could not be told.',
}

/** What came of it, in plain words. */
export function Outcome({ approval }: { approval: ApprovalView }) {
  const { text, tone, meaning } = stateWords(approval.state)
  const delivery = deliveries[approval.delivery]
  return (
    <section className="approval-part approval-outcome" data-tone={tone} aria-label="Outcome">
      <p>
        <Pill tone={tone}>{text}</Pill> {meaning} {delivery}
      </p>
      {approval.decidedBy !== null && approval.decidedAt !== null && (
        <p className="quiet">
          Decided by {approval.decidedBy.name}, <Time at={approval.decidedAt} />.
        </p>
      )}
      {approval.reason !== null && approval.reason !== '' && <blockquote>{approval.reason}</blockquote>}
      {approval.note !== null && approval.note !== '' && <p>Note: {approval.note}</p>}
      {approval.result !== null && <Result text={approval.result} />}
    </section>
  )
}

function Result({ text }: { text: string }) {
  const parsed = parseJson(text)
  return (
    <details>
      <summary>What the tool answered</summary>
      {parsed.ok && isObject(parsed.value) ? <JsonFacts value={parsed.value} /> : <pre>{text}</pre>}
    </details>
  )
}
