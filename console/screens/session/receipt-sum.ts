import type { Receipt } from '../../../gateway/protocol/rest.ts'

/** Zero, or a receipt that must not be trusted: lines minus total, in micro-credits. */
export function receiptGapMicro(receipt: Receipt): number {
  return receipt.lines.reduce((sum, line) => sum + line.amountMicro, 0) - receipt.totalMicro
}
