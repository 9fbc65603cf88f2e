// Bills to customers. What one comes to is computed once, from integers, and written down with it.

import { z } from 'zod'
import type { Entities, TemplateData } from '../../entities/entities.ts'
import type { AuthContext } from '../../platform/access.ts'
import type { Clock } from '../../platform/clock.ts'
import type { TenantId } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'
import type { EntityView } from '../../protocol/records.ts'
import { amountField, currencyField, minorAmount, wholeText } from '../amounts.ts'
import type { Numbers, Written } from '../invoices/numbers.ts'
import { type LineGiven, totalsOf } from '../invoices/totals.ts'
import { type BuiltinTool, builtin, EffectUnknown, listResult, type ToolContext } from '../tool.ts'

/** One message to one person, once per key. */
export type SendMail = (
  mail: {
    readonly tenantId: TenantId
    readonly to: string
    readonly subject: string
    readonly text: string
    readonly key: string
  },
  context: ToolContext,
) => Promise<{ readonly is: 'sent' } | { readonly is: 'refused' | 'unknown'; readonly why: string }>

export interface InvoiceDeps {
  readonly entities: Entities
  readonly numbers: Numbers
  readonly sendMail: SendMail
  readonly clock: Clock
}

type Invoice = TemplateData<'invoice'>

const invoiceKey = z.string().min(1).max(80).describe('Id or number, e.g. INV-0001')
const line = z.strictObject({
  description: z.string().trim().min(1).max(200),
  quantity: z.number().min(0.001).max(1_000_000).multipleOf(0.001).describe('To three decimals; default 1').optional(),
  unitPrice: amountField,
  taxPercent: z.number().min(0).max(100).multipleOf(0.01).describe('Default 0').optional(),
})

export function invoiceTools(deps: InvoiceDeps): readonly BuiltinTool[] {
  return [create(deps), get(deps), search(deps), remind(deps)]
}

const invoicesOf = ({ entities }: InvoiceDeps, auth: AuthContext) =>
  entities.of(auth.tenantId).as(auth).template('invoice')

function create(deps: InvoiceDeps): BuiltinTool {
  return builtin(
    {
      ...{ name: 'create_invoice', kind: 'invoices.create_invoice', category: 'invoices' },
      ...{ readOnly: false, retry: 'keyed' },
      description: 'Writes an invoice with the next number. Net, tax and total are computed from the lines.',
    },
    z.strictObject({
      ...{ currency: currencyField, lines: z.array(line).min(1).max(100) },
      name: z.string().trim().min(1).max(200).describe('Whom it is for').optional(),
      email: z.email().max(254).optional(),
      contactId: z.string().max(80).optional(),
      companyId: z.string().max(80).optional(),
      dueInDays: z.int().min(0).max(365).describe('Default 14').optional(),
      notes: z.string().max(4_000).optional(),
    }),
    async ({ lines, currency, dueInDays = 14, companyId, ...whom }, context) => {
      const auth = await context.auth()
      const today = deps.clock.now()
      const company = companyId === undefined ? {} : await companyOf(deps, auth, companyId)
      const data = {
        ...{ contactId: context.contactId, ...whom, ...company, currency, ...billed(lines, currency) },
        ...{ issuedOn: dateOf(today), dueOn: dateOf(today + dueInDays * dayMs) },
      }
      const write = (n: number) => written(deps, auth, { n, data, key: context.key })
      return { invoice: shown(await deps.numbers.next(context.tenantId, 'invoice', write)) }
    },
  )
}

const dayMs = 86_400_000
const dateOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10)

/** Under a number; never a second one for the same call. */
async function written(
  deps: InvoiceDeps,
  auth: AuthContext,
  { n, data, key }: { n: number; data: Omit<Invoice, 'number' | 'status' | 'reminders'>; key: string },
): Promise<Written<EntityView>> {
  const invoices = invoicesOf(deps, auth)
  const number = `INV-${String(n).padStart(4, '0')}`
  const earlier = await invoices.made(key)
  if (earlier !== undefined) return { is: earlier.data.number === number ? 'written' : 'before', value: earlier }
  try {
    const value = await invoices.create({ data: { ...data, number }, slug: number.toLowerCase(), key })
    return { is: value.data.number === number ? 'written' : 'before', value }
  } catch (error) {
    if (isSlugTaken(error)) return { is: 'taken' }
    throw error
  }
}

const isSlugTaken = (error: unknown): boolean =>
  error instanceof Problem &&
  error.code === 'conflict' &&
  error.details.issues?.some((each) => each.path === 'slug') === true

function billed(lines: readonly z.output<typeof line>[], currency: string) {
  const given = lines.map(
    ({ description, quantity = 1, unitPrice, taxPercent = 0 }): LineGiven => ({
      ...{ description, quantity, unitPriceMinor: minorAmount(unitPrice, currency) },
      taxBasisPoints: Math.round(taxPercent * 100),
    }),
  )
  const totals = totalsOf(given)
  if (totals === undefined) throw new Problem('invalid', 'No invoice comes to that much.')
  return { ...totals, lines: [...totals.lines] }
}

async function companyOf({ entities }: InvoiceDeps, auth: AuthContext, key: string) {
  const { id, title } = await entities.of(auth.tenantId).as(auth).template('company').get(key)
  return { companyId: id, companyName: title ?? undefined }
}

function get(deps: InvoiceDeps): BuiltinTool {
  return builtin(
    {
      ...{ name: 'get_invoice', kind: 'invoices.get_invoice', category: 'invoices', readOnly: true },
      description: 'Reads one invoice.',
    },
    z.strictObject({ invoice: invoiceKey }),
    async ({ invoice: key }, context) => ({ invoice: shown(await byKey(deps, await context.auth(), key)) }),
  )
}

/** Numbers are their slugs, in lower case. */
const byKey = (deps: InvoiceDeps, auth: AuthContext, key: string): Promise<EntityView> =>
  invoicesOf(deps, auth).get(key.includes('_') ? key : key.toLowerCase())

function search(deps: InvoiceDeps): BuiltinTool {
  return builtin(
    {
      ...{ name: 'search_invoices', kind: 'invoices.search_invoices', category: 'invoices', readOnly: true },
      description: 'Finds invoices by number, customer or state, newest first.',
    },
    z.strictObject({
      query: z.string().min(1).max(200).optional(),
      status: z.enum(['open', 'paid', 'void', 'overdue']).optional(),
      limit: z.int().min(1).max(50).optional(),
    }),
    async ({ query: q, status, limit = 10 }, context) => {
      const overdue = { status: 'open', dueOn: { lt: dateOf(deps.clock.now()) } }
      const where = status === 'overdue' ? overdue : status === undefined ? {} : { status }
      const { items, next } = await invoicesOf(deps, await context.auth()).list({ q, where, limit })
      return { ...listResult(items.map(shown)), ...(next === null ? {} : { more: true }) }
    },
  )
}

function remind(deps: InvoiceDeps): BuiltinTool {
  return builtin(
    {
      ...{ name: 'send_payment_reminder', kind: 'invoices.send_payment_reminder', category: 'invoices' },
      ...{ readOnly: false, retry: 'keyed' },
      description: 'Writes to the customer that an open invoice is to be paid.',
    },
    z.strictObject({
      invoice: invoiceKey,
      message: z.string().max(2_000).describe('In place of the usual words').optional(),
    }),
    async ({ invoice: key, message }, context) => {
      const invoices = invoicesOf(deps, await context.auth())
      const view = await byKey(deps, await context.auth(), key)
      const invoice = invoices.read(view)
      const ref = context.key
      if (invoice.reminders.some((each) => each.ref === ref)) return { sent: true, invoice: shown(view) }
      if (invoice.status !== 'open')
        throw new Problem('conflict', `This invoice is ${invoice.status}: there is nothing to pay.`)
      const to = invoice.email
      if (to === undefined) throw new Problem('invalid', 'The invoice names no e-mail address.')
      const mail = { tenantId: context.tenantId, to, ...wordsOf(invoice, message), key: `reminder:${ref}` }
      const sending = await deps.sendMail(mail, context)
      if (sending.is === 'unknown') throw new EffectUnknown(`whether a reminder was sent is not known: ${sending.why}`)
      if (sending.is === 'refused') throw new Problem('unavailable', `The reminder was not sent: ${sending.why}`)
      const at = new Date(deps.clock.now()).toISOString()
      const noted = await invoices.change(view.id, ({ reminders }) =>
        reminders.some((each) => each.ref === ref)
          ? undefined
          : { reminders: [...reminders, { at, to, ref }].slice(-100) },
      )
      return { sent: true, to, invoice: shown(noted) }
    },
  )
}

function wordsOf({ number, name, totalMinor, currency, dueOn }: Invoice, message: string | undefined) {
  const amount = `${wholeText(totalMinor, currency) ?? ''} ${currency}`
  const usual = `this is a reminder that invoice ${number} of ${amount}, due on ${dueOn}, is not paid yet.`
  const greeting = name === undefined ? 'Hello,' : `Hello ${name},`
  return { subject: `Invoice ${number}: payment reminder`, text: message ?? `${greeting}\n\n${usual}\n\nThank you.` }
}

/** Amounts as people read them, beside the integers. */
function shown(view: EntityView): object {
  const { currency, netMinor, taxMinor, totalMinor } = view.data
  const amounts = { net: wholeText(netMinor, currency), tax: wholeText(taxMinor, currency) }
  return { ...view, ...amounts, total: wholeText(totalMinor, currency) }
}
