// Amounts as models say them, in whole units of the currency, and as they are kept, as integers of its smallest unit. Exact.

import { z } from 'zod'
import { Problem } from '../platform/problem.ts'
import { digitsOf, minorOf } from './providers/minor-units.ts'

/** `12.5`, `"12.50"`, `"$12.50"` and `"1,200.00"` are what models write. */
export const amountField = z
  .union([z.number().min(0).max(1_000_000_000), z.string().min(1).max(30)])
  .describe('In whole units of the currency, e.g. 12.50')
export type GivenAmount = z.output<typeof amountField>

export const currencyField = z
  .string()
  .regex(/^[A-Za-z]{3}$/)
  .transform((code) => code.toUpperCase())
  .describe('ISO 4217, e.g. EUR')

/** `invalid` for what is no amount, or is finer than the currency. */
export function minorAmount(value: GivenAmount, currency: string): number {
  const text = String(value)
    .trim()
    .replace(/^[$€£¥]\s*/u, '')
    .replace(/,(?=\d{3}(?:\D|$))/g, '')
  const minor = minorOf(text, checkedCurrency(currency))
  if (minor !== undefined) return minor
  throw new Problem('invalid', `${text.slice(0, 40)} is no amount of ${currency}.`, {
    issues: [{ path: 'amount', message: `a number with at most ${digitsOf(currency)} decimals` }],
  })
}

/** `12.50`; null for what is none. */
export function wholeText(minor: unknown, currency: unknown): string | null {
  if (typeof minor !== 'number' || typeof currency !== 'string' || !/^[A-Z]{3}$/.test(currency)) return null
  const digits = digitsOf(currency)
  const text = String(Math.abs(minor)).padStart(digits + 1, '0')
  const whole = digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`
  return minor < 0 ? `-${whole}` : whole
}

function checkedCurrency(currency: string): string {
  if (/^[A-Z]{3}$/.test(currency)) return currency
  throw new Problem('invalid', `${currency.slice(0, 10)} is no currency.`)
}
