// What an invoice comes to. Pure, in integers of the currency's smallest unit: a line's net amount is quantity times price, its tax a
// part of that net amount; each is rounded once, half a unit upwards. What is summed are the rounded lines, so that they add up.

export interface LineGiven {
  readonly description: string
  /** To three decimals. */
  readonly quantity: number
  readonly unitPriceMinor: number
  /** Hundredths of a percent. */
  readonly taxBasisPoints: number
}

export interface Line extends LineGiven {
  readonly netMinor: number
  readonly taxMinor: number
}

export interface Totals {
  readonly lines: readonly Line[]
  readonly netMinor: number
  readonly taxMinor: number
  readonly totalMinor: number
}

/** Above it a number is not exact in JSON any more. */
const maxMinor = 100_000_000_000n

/** Undefined: more than an invoice may come to. */
export function totalsOf(given: readonly LineGiven[]): Totals | undefined {
  const lines = given.map((each) => {
    const net = halfUp(BigInt(Math.round(each.quantity * 1_000)) * BigInt(each.unitPriceMinor), 1_000n)
    return { each, net, tax: halfUp(net * BigInt(each.taxBasisPoints), 10_000n) }
  })
  const net = lines.reduce((sum, each) => sum + each.net, 0n)
  const tax = lines.reduce((sum, each) => sum + each.tax, 0n)
  if (net + tax > maxMinor) return undefined
  return {
    lines: lines.map(({ each, ...line }) => ({ ...each, netMinor: Number(line.net), taxMinor: Number(line.tax) })),
    netMinor: Number(net),
    taxMinor: Number(tax),
    totalMinor: Number(net + tax),
  }
}

/** Neither is negative. */
const halfUp = (value: bigint, by: bigint): bigint => (value * 2n + by) / (by * 2n)
