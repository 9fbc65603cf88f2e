// Payments: a page on which the person pays, and whether they did. Giving money back is no tool: a person does that at the provider.

import { z } from 'zod'
import type { Entities } from '../../entities/entities.ts'
import { found, Problem } from '../../platform/problem.ts'
import type { Effects } from '../effects.ts'
import type { Wanted } from '../payments/payments.ts'
import type { Payment } from '../payments/store.ts'
import { personArgs } from '../persons.ts'
import { type BuiltinTool, builtin, type ToolContext } from '../tool.ts'

interface Deps {
  readonly entities: Entities
  readonly effects: Pick<Effects, 'payments' | 'persons'>
}

const checkoutArgs = z.strictObject({
  products: z
    .array(z.strictObject({ product: z.string().max(80).describe('Slug'), quantity: z.int().min(1).max(1_000) }))
    .min(1)
    .max(20)
    .describe('From the catalogue, at its prices')
    .optional(),
  invoice: z.string().max(80).describe('Id of an open invoice, for its total').optional(),
  amountMinor: z
    .int()
    .min(1)
    .max(100_000_000)
    .describe('For anything else: in the smallest unit of the currency, 1999 is 19.99 EUR')
    .optional(),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .describe('With amountMinor, e.g. EUR')
    .optional(),
  description: z.string().trim().min(1).max(200).describe('With amountMinor: what is paid for').optional(),
  provider: z.enum(['stripe', 'paypal']).optional(),
  ...personArgs,
})
type CheckoutArgs = z.output<typeof checkoutArgs>

export function paymentTools({ entities, effects: { payments, persons } }: Deps): readonly BuiltinTool[] {
  return [
    builtin(
      {
        ...{ name: 'create_checkout_session', kind: 'payments.create_checkout_session', category: 'payments' },
        ...{ readOnly: false, retry: 'keyed' as const },
        description:
          'Makes a page on which the person can pay, for products, an invoice or an amount. Give them its address; it is paid when check_payment_status says so.',
      },
      checkoutArgs,
      async (args, context) => {
        const auth = await context.auth()
        const [goods, person] = await Promise.all([goodsOf(entities, args, context), payerOf(persons, args, context)])
        const { channel, conversationId, key, signal } = context
        const wanted: Wanted = { ...goods, ...person, provider: args.provider, channel, conversationId }
        return viewOf(await payments.open(wanted, { auth, key, signal }))
      },
    ),
    builtin(
      {
        ...{
          name: 'check_payment_status',
          kind: 'payments.check_payment_status',
          category: 'payments',
          readOnly: true,
        },
        description: 'Tells whether a payment has arrived.',
      },
      z.strictObject({ payment: z.string().max(80).describe('Id that create_checkout_session gave') }),
      async ({ payment }, { auth }) => viewOf(await payments.get(await auth(), payment)),
    ),
  ]
}

async function payerOf(persons: Effects['persons'], args: CheckoutArgs, context: ToolContext) {
  const isNobody = args.contactId === undefined && args.email === undefined && context.contactId === undefined
  if (isNobody) return {}
  const { contactId, email } = await persons(context, args)
  return { contactId, email }
}

type Goods = Pick<Wanted, 'description' | 'lines' | 'currency' | 'invoiceId'>

async function goodsOf(entities: Entities, args: CheckoutArgs, context: ToolContext): Promise<Goods> {
  const { products, invoice, amountMinor, currency, description } = args
  const ways = [products, invoice, amountMinor].filter((each) => each !== undefined)
  if (ways.length !== 1) throw new Problem('invalid', 'Say one of products, invoice and amountMinor.')
  const mine = entities.of(context.tenantId).as(await context.auth())
  if (invoice !== undefined) {
    const invoices = mine.template('invoice')
    const view = await invoices.get(invoice)
    const { number, status, totalMinor, currency: of } = invoices.read(view)
    if (status !== 'open') throw new Problem('conflict', `The invoice is ${status}.`)
    const name = `Invoice ${number}`
    const lines = [{ name, unitMinor: totalMinor, quantity: 1 }]
    return { description: name, lines, currency: of, invoiceId: view.id }
  }
  if (products !== undefined) {
    const goods = await Promise.all(
      products.map(async ({ product, quantity }) => ({ ...priced(await mine.get('product', product)), quantity })),
    )
    const currencies = new Set(goods.map((each) => each.currency))
    if (currencies.size > 1) throw new Problem('invalid', 'The products have different currencies.')
    const lines = goods.map(({ name, unitMinor, quantity }) => ({ name, unitMinor, quantity }))
    const what = lines.map(({ name, quantity }) => (quantity === 1 ? name : `${quantity} × ${name}`)).join(', ')
    return { description: what.slice(0, 500), lines, currency: found([...currencies][0]) }
  }
  if (amountMinor === undefined || currency === undefined || description === undefined)
    throw new Problem('invalid', 'An amount needs a currency and a description.')
  return { description, currency, lines: [{ name: description, unitMinor: amountMinor, quantity: 1 }] }
}

const priceOf = z.looseObject({
  name: z.string().min(1),
  priceCents: z.int().min(0),
  currency: z.string().length(3),
})

function priced({ data }: { readonly data: unknown }) {
  const { name, priceCents, currency } = priceOf.parse(data)
  return { name, unitMinor: priceCents, currency: currency.toUpperCase() }
}

function viewOf({ id, status, url, amountMinor, currency, description, provider, live, paidAt }: Payment) {
  return {
    ...{ payment: id, status, amountMinor, currency, description, provider },
    ...(status === 'open' ? { url } : {}),
    ...(paidAt === undefined ? {} : { paidAt: paidAt.toISOString() }),
    ...(live ? {} : { test: true }),
  }
}
