// Amounts as integers in a currency's smallest unit, and as the decimal texts that PayPal wants. Pure.

/** PayPal takes no decimals of these, whatever the standard says. */
const wholeAtPayPal: ReadonlySet<string> = new Set(['HUF', 'JPY', 'TWD'])

const withoutDecimals: ReadonlySet<string> = new Set([
  ...['BIF', 'CLP', 'DJF', 'GNF', 'JPY', 'KMF', 'KRW', 'MGA', 'PYG', 'RWF', 'VND', 'VUV', 'XAF', 'XOF', 'XPF'],
])
const withThree: ReadonlySet<string> = new Set(['BHD', 'JOD', 'KWD', 'OMR', 'TND'])

/** Digits behind the point, as Stripe counts them. Not by Intl: its tables differ from one release to the next. */
export const digitsOf = (currency: string): number =>
  withoutDecimals.has(currency) ? 0 : withThree.has(currency) ? 3 : 2

/** `10.00`. Undefined: PayPal cannot take such an amount. */
export function decimalText(amountMinor: number, currency: string): string | undefined {
  const digits = digitsOf(currency)
  const text = String(amountMinor).padStart(digits + 1, '0')
  const whole = text.slice(0, text.length - digits)
  const rest = text.slice(text.length - digits)
  if (!wholeAtPayPal.has(currency)) return digits === 0 ? whole : `${whole}.${rest}`
  return /^0*$/.test(rest) ? whole : undefined
}

/** The other way; undefined for what is no such amount. Exact: nothing is ever a float. */
export function minorOf(text: string, currency: string): number | undefined {
  const match = /^(\d{1,12})(?:\.(\d{1,4}))?$/.exec(text)
  if (match === null) return undefined
  const digits = digitsOf(currency)
  const rest = (match[2] ?? '').padEnd(digits, '0')
  if (/[1-9]/.test(rest.slice(digits))) return undefined
  const minor = Number(`${match[1]}${rest.slice(0, digits)}`)
  return Number.isSafeInteger(minor) ? minor : undefined
}
