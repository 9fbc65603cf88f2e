import type { Receipt } from '../../../gateway/protocol/rest.ts'
import { CopyId } from '../../ui/copy.tsx'
import { absolute, credits, creditsColumn, price, quantity, usd } from '../../ui/format.ts'
import { Pill } from '../../ui/pill.tsx'
import { receiptGapMicro } from './receipt-sum.ts'

export function ReceiptTable({ receipt }: { receipt: Receipt }) {
  const gapMicro = receiptGapMicro(receipt)
  return (
    <div className="receipt">
      <table className="table">
        <caption className="sr">Receipt lines in credits</caption>
        <thead>
          <tr>
            <th scope="col">Meter</th>
            <th scope="col" className="end">
              Credits
            </th>
          </tr>
        </thead>
        <tbody>
          {receipt.lines.map((line) => (
            <tr key={line.meter}>
              <td>
                <code>{line.meter}</code>
                <small>
                  {quantity(line)} × {price(line)}
                </small>
              </td>
              <td className="end number">{creditsColumn(line.amountMicro)}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">Total</th>
            <td className="end number">{creditsColumn(receipt.totalMicro)}</td>
          </tr>
        </tfoot>
      </table>
      {gapMicro === 0 ? (
        <Pill tone="good">Lines sum to the total</Pill>
      ) : (
        <Pill tone="bad">Lines and total differ by {gapMicro} micro-credits</Pill>
      )}
      <dl className="receipt-facts">
        <dt>Entry</dt>
        <dd>
          <CopyId id={receipt.entryId} name="entry id" />
        </dd>
        <dt>Hold</dt>
        <dd>
          <CopyId id={receipt.holdId} name="hold id" />
        </dd>
        <dt>Settled</dt>
        <dd>{absolute(receipt.settledAt)}</dd>
        <dt>Waived</dt>
        <dd title="Used beyond the hold: paid by the gateway, not by the tenant">{credits(receipt.waivedMicro)}</dd>
        <dt>Provider cost</dt>
        <dd>{receipt.costUsdMicro === null ? 'unknown' : usd(receipt.costUsdMicro)}</dd>
      </dl>
    </div>
  )
}
