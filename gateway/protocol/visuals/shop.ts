// Visuals of buying: products, an order, a payment.

import { type Block, image, link, type Money, type Say, text, webUrl } from './blocks.ts'
import { address, currency, listOf, minor, mostCards, object, titleText, type Visual, visual, words } from './visual.ts'

export interface ProductCard {
  readonly slug: string
  readonly name: string
  readonly text: string
  readonly unitMinor: number
  readonly currency: string
  readonly inStock: boolean
  readonly imageUrl?: string
}

export interface OrderData {
  readonly product: ProductCard
  readonly quantity: number
  readonly totalMinor: number
  readonly name?: string
  readonly email?: string
  readonly address?: string
  readonly note?: string
  /** Of the order that was made of it. From then on nothing can be changed. */
  readonly number?: string
}

/** More pieces than that are for a person to sell. */
export const mostPieces = 99

const stock = (inStock: boolean, say: Say): Block =>
  inStock ? { is: 'badge', tone: 'good', text: say('In stock') } : { is: 'badge', tone: 'bad', text: say('Sold out') }

const productCards = visual<{ products: readonly ProductCard[]; title?: string; button?: string }>({
  name: 'product_cards',
  title: 'Product cards',
  description:
    'Shows products of this business as cards with picture, price and stock, side by side. Use it when somebody looks for something to buy and you have found up to twelve products. Prices and pictures come from the products themselves.',
  schema: object(
    {
      products: listOf(words(80, 'Slug of a product'), mostCards),
      title: titleText,
      button: words(30, 'On a button of each card, e.g. Order. Pressing it tells you which product is meant.'),
    },
    ['products'],
  ),
  example: {
    title: 'Red sofas',
    button: 'Order',
    products: [
      {
        slug: 'alba-3-seater',
        name: 'Alba 3-Seater',
        text: 'Deep seats, washable covers.',
        unitMinor: 49_900,
        currency: 'USD',
        inStock: true,
      },
    ],
  },
  blocks: ({ products, title: heading, button }, say) => [
    ...text('heading', heading),
    {
      is: 'cards',
      layout: 'carousel',
      label: heading ?? say('Products'),
      cards: products.map((each) => [
        ...image(each.imageUrl, each.name),
        ...text('heading', each.name),
        { is: 'price', minor: each.unitMinor, currency: each.currency },
        stock(each.inStock, say),
        ...text('soft', each.text),
        ...(button === undefined || !each.inStock ? [] : [choice(each.name, button, { product: each.slug })]),
      ]),
    },
  ],
})

/** One button. What it says in the conversation names the thing, the button itself need not. */
function choice(about: string, button: string, values: Readonly<Record<string, string>>): Block {
  return { is: 'choices', label: about, options: [{ text: `${button}: ${about}`, values }] }
}

const orderForm = visual<OrderData>({
  name: 'order_form',
  title: 'Order form',
  submitTool: 'place_order',
  description:
    'Shows an order form for one product and fills in what you know. Call it as soon as somebody wants to order, and again with every further thing they say (quantity, name, e-mail, address): the same form fills while they talk. Leave out what was not said. Price and stock are the product’s own. When everything is there, read the order back and ask for a yes; then call place_order. The person may also send the form.',
  schema: object(
    {
      product: words(120, 'Slug or name of the product. Left out: that of the form that is open.'),
      quantity: { type: 'integer', minimum: 1, maximum: mostPieces },
      name: words(120, 'Who orders'),
      email: words(254, 'Their e-mail address'),
      address: words(400, 'Where it is delivered'),
      note: words(400, 'What else they said about the order'),
    },
    [],
  ),
  example: {
    product: {
      ...{ slug: 'alba-3-seater', name: 'Alba 3-Seater', text: 'Deep seats, washable covers.' },
      ...{ unitMinor: 49_900, currency: 'USD', inStock: true },
    },
    quantity: 2,
    totalMinor: 99_800,
    name: 'Ada Lovelace',
  },
  blocks: (data, say) => [
    ...text('heading', data.number === undefined ? say('Your order') : say('Order placed')),
    ...image(data.product.imageUrl, data.product.name),
    ...(data.number === undefined ? openOrder(data, say) : placedOrder(data, data.number, say)),
  ],
})

function openOrder({ product, quantity, name, email, address: place, note }: OrderData, say: Say): readonly Block[] {
  const price: Money = { minor: product.unitMinor, currency: product.currency }
  const field = { type: 'text', required: true } as const
  const given = (value: string | undefined) => (value === undefined ? {} : { value })
  return [
    { is: 'facts', rows: [{ label: product.name, value: price }] },
    stock(product.inStock, say),
    {
      is: 'form',
      about: product.name,
      button: say('Place order'),
      total: { ...price, label: say('Total'), times: 'quantity' },
      fields: [
        {
          ...field,
          name: 'quantity',
          label: say('Quantity'),
          type: 'number',
          least: 1,
          most: mostPieces,
          value: quantity,
        },
        { ...field, name: 'name', label: say('Name'), most: 120, fills: 'name', ...given(name) },
        { ...field, name: 'email', label: say('E-mail'), type: 'email', most: 254, fills: 'email', ...given(email) },
        {
          ...{ ...field, name: 'address', label: say('Delivery address'), type: 'lines', most: 400 },
          ...{ fills: 'street-address', ...given(place) },
        },
        { ...field, name: 'note', label: say('Note'), type: 'lines', required: false, most: 400, ...given(note) },
      ],
    },
  ]
}

function placedOrder(data: OrderData, number: string, say: Say): readonly Block[] {
  const { product, quantity, totalMinor } = data
  const said = [
    { label: say('Order number'), value: number },
    { label: say('Product'), value: product.name },
    { label: say('Quantity'), value: String(quantity) },
    { label: say('Total'), value: { minor: totalMinor, currency: product.currency } },
    { label: say('Name'), value: data.name },
    { label: say('E-mail'), value: data.email },
    { label: say('Delivery address'), value: data.address },
    { label: say('Note'), value: data.note },
  ]
  return [
    {
      is: 'facts',
      rows: said.flatMap(({ label, value }) => (value === undefined ? [] : [{ label, value }])),
    },
  ]
}

const paymentLink = visual<{ title: string; amount: Money; url: string; text?: string }>({
  name: 'payment_link',
  title: 'Payment link',
  description:
    'Shows an amount with a button that opens the page where it is paid. Use it with a link that a payment tool gave you, never with another one.',
  schema: object(
    {
      title: titleText,
      text: words(300, 'What is paid for'),
      amount: object({ minor, currency }, ['minor', 'currency']),
      url: { ...address('As the payment tool gave it'), pattern: '^https://[^\\s<>"]+$' },
    },
    ['title', 'amount', 'url'],
  ),
  example: { title: 'Deposit', amount: { minor: 5_000, currency: 'USD' }, url: 'https://pay.example/i/1' },
  blocks: ({ title: heading, amount, url, text: about }, say) => [
    ...text('heading', heading),
    ...text('text', about),
    { is: 'price', ...amount },
    // Where one pays, one sees at whose place.
    ...text('soft', hostOf(url)),
    ...link(url, say('Pay now'), 'button'),
  ],
})

function hostOf(url: string): string | undefined {
  const safe = webUrl(url)
  return safe === undefined ? undefined : new URL(safe).host
}

export const shopVisuals: readonly Visual[] = [productCards, orderForm, paymentLink]
