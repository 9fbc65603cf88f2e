// Arithmetic of a bill's lines: merged by maximum, cut to what may be charged. Pure.

import { Problem } from '../platform/problem.ts'
import type { Receipt, ReceiptLine } from '../protocol/rest.ts'
import { requireInteger } from './amount.ts'

/** Refuses what is no bill: fractions, negatives, a meter twice, a sum that is not exact. Returns the lines in receipt order. */
export function checkLines(lines: readonly ReceiptLine[]): readonly ReceiptLine[] {
  const meters = new Set<string>()
  for (const line of lines) {
    if (!/^[a-z][a-z0-9_.-]{0,63}$/.test(line.meter) || meters.has(line.meter)) {
      throw new Problem('invalid', 'Every line needs a meter of its own.')
    }
    meters.add(line.meter)
    requireInteger(line.quantity, 'quantity', 0)
    requireInteger(line.priceMicroPerMillion, 'price', 0)
    requireInteger(line.amountMicro, 'amount', 0)
  }
  sumLines(lines)
  return inOrder(lines)
}

export function sumLines(lines: readonly ReceiptLine[]): number {
  let sum = 0
  for (const line of lines) sum = requireInteger(sum + line.amountMicro, 'sum', 0)
  return sum
}

/** Both are cumulative bills of one hold, so the greater figure of each meter is the later one. */
export function mergeLines(a: readonly ReceiptLine[], b: readonly ReceiptLine[]): readonly ReceiptLine[] {
  const merged = new Map(a.map((line) => [line.meter, line]))
  for (const line of b) {
    const other = merged.get(line.meter)
    merged.set(line.meter, {
      ...line,
      quantity: Math.max(line.quantity, other?.quantity ?? 0),
      amountMicro: Math.max(line.amountMicro, other?.amountMicro ?? 0),
    })
  }
  return inOrder([...merged.values()])
}

/** Pays the lines in receipt order until `limitMicro` is spent. Quantities stay: they say what was used. */
export function cutLines(lines: readonly ReceiptLine[], limitMicro: number): readonly ReceiptLine[] {
  let leftMicro = limitMicro
  return lines.map((line) => {
    const amountMicro = Math.min(line.amountMicro, leftMicro)
    leftMicro -= amountMicro
    return { ...line, amountMicro }
  })
}

/** Time first, then by name: the same bill is always cut the same way. */
function inOrder(lines: readonly ReceiptLine[]): readonly ReceiptLine[] {
  const rank = (line: ReceiptLine) => (line.meter === 'session.seconds' ? 0 : 1)
  return [...lines].sort((a, b) => rank(a) - rank(b) || (a.meter < b.meter ? -1 : 1))
}

/** One charge of a session with its lines. */
export interface SessionBill {
  readonly entryId: string
  readonly holdId?: string
  readonly at: Date
  readonly seq?: number
  readonly lines: readonly ReceiptLine[]
  readonly totalMicro: number
  readonly waivedMicro: number
  readonly costUsdMicro: number | null
}

/** The bill of a session: lines of one meter and one price become one. Undefined when nothing was charged. */
export function joinBills(sessionId: string, unordered: readonly SessionBill[]): Receipt | undefined {
  const bills = [...unordered].sort((a, b) => a.at.getTime() - b.at.getTime() || (a.seq ?? 0) - (b.seq ?? 0))
  const last = bills.at(-1)
  if (last === undefined) return undefined
  const lines = new Map<string, ReceiptLine>()
  for (const line of bills.flatMap((bill) => bill.lines)) {
    const name = `${line.meter} ${line.unit} ${line.priceMicroPerMillion}`
    const before = lines.get(name)
    const quantity = line.quantity + (before?.quantity ?? 0)
    lines.set(name, { ...line, quantity, amountMicro: line.amountMicro + (before?.amountMicro ?? 0) })
  }
  const sum = (of: (bill: SessionBill) => number) => bills.reduce((total, bill) => total + of(bill), 0)
  return {
    sessionId,
    holdId: bills.findLast((bill) => bill.holdId !== undefined)?.holdId ?? '',
    lines: inOrder([...lines.values()]),
    totalMicro: sum((bill) => bill.totalMicro),
    waivedMicro: sum((bill) => bill.waivedMicro),
    costUsdMicro: bills.some((bill) => bill.costUsdMicro === null) ? null : sum((bill) => bill.costUsdMicro ?? 0),
    entryId: last.entryId,
    settledAt: last.at.toISOString(),
    charges: bills.map(({ entryId, totalMicro, at }) => ({
      entryId,
      amountMicro: totalMicro,
      at: at.toISOString(),
    })),
  }
}
