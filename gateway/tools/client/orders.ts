// Orders: a form that fills while somebody talks, and the order that is made of it, once, whoever says yes how often.
// Price and stock are the product's of that moment; the sum is of integers.

import { createHash } from 'node:crypto'
import type { Db } from 'mongodb'
import { z } from 'zod'
import type { Entities, TemplateData } from '../../entities/entities.ts'
import { Problem } from '../../platform/problem.ts'
import { moneyText } from '../../protocol/visuals/blocks.ts'
import { mostPieces, type OrderData, type ProductCard } from '../../protocol/visuals/shop.ts'
import type { ShownVisual } from '../../protocol/visuals/visual.ts'
import { visuals } from '../../protocol/visuals/visuals.ts'
import { type BuiltinTool, builtin, shows, type ToolContext, type ToolResult } from '../tool.ts'
import { productCard } from './fills.ts'
import { type OrderDraft, type OrderForm, orderFormStore } from './order-store.ts'
import { facts } from './visual-tools.ts'

export const orderForm = 'order_form'

const said = {
  product: z.string().trim().min(1).max(120).describe('Slug or name of the product').exactOptional(),
  quantity: z.int().min(1).max(mostPieces).exactOptional(),
  name: z.string().trim().min(1).max(120).describe('Who orders').exactOptional(),
  email: z.string().trim().min(1).max(254).describe('Their e-mail address').exactOptional(),
  address: z.string().trim().min(1).max(400).describe('Where it is delivered').exactOptional(),
  note: z.string().trim().min(1).max(400).describe('What else they said about the order').exactOptional(),
}
type Said = z.output<z.ZodObject<typeof said>>

export interface OrderDeps {
  readonly entities: Entities
  readonly db: Db
}

export function orderTools(deps: OrderDeps): readonly BuiltinTool[] {
  const visual = visuals.find(({ name }) => name === orderForm)
  if (visual === undefined) throw new Error('the order form is no visual any more')
  const orders = new Orders(deps)
  return [
    builtin(facts(visual), z.strictObject(said), async (args, context) => {
      const { form, product } = await orders.fill(args, context, 'anew')
      const missing = missingOf(form.draft)
      return {
        ...told(form, product),
        missing,
        next: missing.length === 0 ? 'Read it back and ask whether to place the order.' : `Ask for: ${missing[0]}.`,
        [shows]: shownAs(form, product),
      }
    }),
    builtin(
      {
        ...{ name: 'place_order', kind: 'products.place_order', category: 'products', readOnly: false, retry: 'keyed' },
        description:
          'Places the order of the form that is open, once the person has said yes to it. Placing it twice makes one order. Give only what the form does not show yet.',
      },
      z.strictObject({
        ...said,
        form: z.string().max(60).describe('Leave out: the open form is meant.').exactOptional(),
      }),
      (args, context) => orders.place(args, context),
    ),
  ]
}

class Orders {
  readonly #deps: OrderDeps
  readonly #forms: ReturnType<typeof orderFormStore.open>

  constructor(deps: OrderDeps) {
    this.#deps = deps
    this.#forms = orderFormStore.open(deps.db)
  }

  /** `anew`: after an order was placed the next wish is the next order. Otherwise only one for another product is. */
  async fill(
    { product: wanted, ...rest }: Said,
    context: ToolContext,
    after: 'anew' | 'placed',
  ): Promise<{ form: OrderForm; product: ProductCard }> {
    const named = wanted === undefined ? undefined : await productCard(this.#deps, context, wanted)
    if (wanted !== undefined && named === undefined)
      throw new Problem('not_found', `There is no product called ${wanted.slice(0, 80)}.`)
    const form = await this.#forms.change(context.tenantId, scopeOf(context), (before) => {
      const isNext = before?.number !== undefined && (after === 'anew' || isOther(before, named))
      if (before?.number !== undefined && !isNext) return undefined
      const draft = isNext ? undefined : before?.draft
      const slug = named?.slug ?? draft?.product
      if (slug === undefined) return undefined
      const n = before === undefined ? 1 : before.n + (isNext ? 1 : 0)
      return { n, draft: { quantity: 1, ...draft, ...rest, product: slug } }
    })
    if (form === undefined || (form.number !== undefined && after === 'anew'))
      throw new Problem('invalid', 'Which product is ordered? Give its slug or name.')
    const product =
      named?.slug === form.draft.product ? named : await productCard(this.#deps, context, form.draft.product)
    if (product === undefined) throw new Problem('not_found', 'This product is not sold any more.')
    return { form, product }
  }

  async place(
    { form: wanted, ...args }: Said & { form?: string | undefined },
    context: ToolContext,
  ): Promise<ToolResult> {
    const known = await this.#forms.find(context.tenantId, scopeOf(context))
    // What was sent from a form that is not the open one was placed before the open one came to be.
    if (wanted !== undefined && known !== undefined && wanted !== idOfForm(known))
      throw new Problem('conflict', 'This form is no longer open: what it held was ordered before.')
    const { form, product } = await this.fill(args, context, 'placed')
    if (form.number !== undefined)
      return { ...told(form, product), placed: true, before: true, [shows]: shownAs(form, product) }
    const missing = missingOf(form.draft)
    if (missing.length > 0)
      throw new Problem('invalid', `The order is not complete. Missing: ${missing.join(', ')}.`, {
        issues: missing.map((path) => ({ path, message: 'missing' })),
      })
    if (!product.inStock) throw new Problem('conflict', `${product.name} is sold out: nothing was ordered.`)
    const stored = await this.#store(form, product, context)
    await this.#forms.change(context.tenantId, scopeOf(context), (now) => (now?.n === form.n ? stored.form : undefined))
    return { ...told(stored.form, stored.product), placed: true, [shows]: shownAs(stored.form, stored.product) }
  }

  /** As it is stored: whoever comes second, for the same form, gets what the first one said. */
  async #store({ n, draft }: OrderForm, product: ProductCard, context: ToolContext): Promise<Placed> {
    const { tenantId, contactId, conversationId, channel } = context
    const key = createHash('sha256')
      .update(JSON.stringify([tenantId, scopeOf(context), n]))
      .digest('hex')
    const orders = this.#deps.entities
      .of(tenantId)
      .as(await context.auth())
      .template('order')
    const { quantity, name, email, address, note } = draft
    const order = await orders.create({
      key,
      data: {
        number: `O-${key.slice(0, 8).toUpperCase()}`,
        ...{ name, email, address, currency: product.currency, totalMinor: product.unitMinor * quantity },
        items: [{ product: product.slug, name: product.name, quantity, unitPriceMinor: product.unitMinor }],
        ...(note === undefined ? {} : { notes: note }),
        ...(contactId === undefined ? {} : { contactId }),
        ...(conversationId === undefined ? {} : { conversationId }),
        ...(channel === undefined ? {} : { channel }),
      },
    })
    return placedAs(n, product, orders.read(order))
  }
}

interface Placed {
  readonly form: OrderForm
  readonly product: ProductCard
}

function placedAs(n: number, product: ProductCard, { number, items, notes, ...order }: TemplateData<'order'>): Placed {
  const [item] = items
  const { name, email, address } = order
  return {
    form: {
      ...{ n, number },
      draft: {
        ...{ product: item?.product ?? product.slug, quantity: item?.quantity ?? 1 },
        ...(name === undefined ? {} : { name }),
        ...(email === undefined ? {} : { email }),
        ...(address === undefined ? {} : { address }),
        ...(notes === undefined ? {} : { note: notes }),
      },
    },
    product: { ...product, unitMinor: item?.unitPriceMinor ?? product.unitMinor },
  }
}

const isOther = ({ draft }: OrderForm, named: ProductCard | undefined): boolean =>
  named !== undefined && named.slug !== draft.product

const scopeOf = ({ conversationId, sessionId }: ToolContext): string => conversationId ?? sessionId

const idOfForm = ({ n }: OrderForm): string => `${orderForm}-${n}`

const emailPattern = /^[^\s@]+@[^\s@]+\.[^\s@]+$/

/** In the order in which one asks for it. */
function missingOf({ name, email, address: place }: OrderDraft): readonly string[] {
  return [
    ...(name === undefined ? ['name'] : []),
    ...(email === undefined || !emailPattern.test(email) ? ['email'] : []),
    ...(place === undefined ? ['address'] : []),
  ]
}

/** For the model. */
function told(form: OrderForm, { name, unitMinor, currency, inStock }: ProductCard): ToolResult {
  const { product: slug, ...draft } = form.draft
  return {
    form: idOfForm(form),
    ...(form.number === undefined ? {} : { order: form.number }),
    product: { slug, name, inStock },
    ...draft,
    unitPriceMinor: unitMinor,
    totalMinor: unitMinor * draft.quantity,
    currency,
    total: moneyText({ minor: unitMinor * draft.quantity, currency }, 'en'),
  }
}

function shownAs(form: OrderForm, product: ProductCard): ShownVisual {
  const { product: _slug, ...draft } = form.draft
  const data: OrderData = {
    ...{ ...draft, product, totalMinor: product.unitMinor * draft.quantity },
    ...(form.number === undefined ? {} : { number: form.number }),
  }
  return { id: idOfForm(form), visual: orderForm, data: { ...data } }
}
