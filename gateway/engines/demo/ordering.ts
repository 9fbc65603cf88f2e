// An order by word of mouth, for tenants that have the tools of it: what the person said goes into the form, what the form
// still needs is asked for, and a yes places it. The gateway keeps the form; here is only what was asked last.

import { z } from 'zod'
import type { EngineTool } from '../engines.ts'
import { withDigits } from './words.ts'

export const showTool = 'show_order_form'
export const placeTool = 'place_order'

const asked = ['name', 'email', 'address'] as const
type Asked = (typeof asked)[number]

/** What either tool answers. */
const answer = z.object({
  form: z.string(),
  product: z.object({ name: z.string(), inStock: z.boolean() }),
  quantity: z.number(),
  total: z.string(),
  name: z.string().optional(),
  address: z.string().optional(),
  missing: z.array(z.string()).optional(),
  order: z.string().optional(),
})
const sent = z.object({
  sentFrom: z.string(),
  values: z.record(z.string(), z.unknown()),
  result: z.unknown().optional(),
})

export interface OrderStep {
  readonly tool: string
  readonly args: Readonly<Record<string, unknown>>
}

const wish = /\b(?:order|buy|purchase)\b\s*(?:me\s+)?(?<what>.+)/i
const yes =
  /^\W*(?:yes|yeah|yep|sure|correct|right|okay|ok|go ahead|please do|confirm|do it|place (?:it|the order|my order))\b/i
const no = /^\W*(?:no|nope|cancel|stop|wait|not yet|never ?mind)\b/i
const question = /^\W*(?:how|what|when|where|who|which|why|do|does|is|are|can|could)\b|\?\s*$/i
const email = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/
const spokenEmail = /\b(?<user>[\w-]+(?: (?:dot|point) [\w-]+)*) at (?<host>[\w-]+(?: (?:dot|point) [\w-]+)+)/i
const fillers = /\b(?:of|the|a|an|your|some|please|piece|pieces|one|times)\b/gi

export class Ordering {
  #wants: Asked | 'yes' | undefined

  /** The next call that what was said asks for; undefined: it is about something else. */
  heard(text: string, tools: readonly EngineTool[]): OrderStep | undefined {
    if (!canOrder(tools)) return undefined
    const wanted = this.#wants
    if (wanted === 'yes' && yes.test(text)) return { tool: placeTool, args: {} }
    if (wanted !== undefined && no.test(text)) {
      this.#wants = undefined
      return undefined
    }
    const facts = factsIn(text)
    if (Object.keys(facts).length > 0) return { tool: showTool, args: facts }
    const what = wish.exec(text)?.groups?.what
    if (what !== undefined && !question.test(text)) return ordered(what)
    if (wanted === undefined || question.test(text)) return undefined
    if (wanted !== 'yes') return { tool: showTool, args: { [wanted]: said(text) } }
    const quantity = quantityIn(text)
    return quantity === undefined ? undefined : { tool: showTool, args: { quantity } }
  }

  /** What is said of a tool's answer; undefined: it is none of an order. */
  told(output: string): string | undefined {
    const read = answer.safeParse(json(output))
    return read.success ? this.#words(read.data) : undefined
  }

  /** Of what was sent from a visual: what is said, or what is called. */
  sent(text: string): string | OrderStep | undefined {
    const read = sent.safeParse(json(text.slice(text.lastIndexOf('\n\n{') + 2)))
    if (!read.success) return undefined
    const { values, result, sentFrom } = read.data
    const stored = answer.safeParse(result)
    if (stored.success) return this.#words(stored.data)
    if (typeof values.product === 'string') return { tool: showTool, args: { product: values.product } }
    return sentFrom === 'order_form'
      ? 'That did not work. Please tell me, and I will try it again.'
      : 'Thank you, I have got that.'
  }

  #words({ product, quantity, total, name, address, missing = [], order }: z.output<typeof answer>): string {
    this.#wants = undefined
    if (order !== undefined)
      return `Thank you! Your order ${order} is placed: ${quantity} times ${product.name}, ${total} in all.`
    if (!product.inStock) return `I am sorry, ${product.name} is sold out. Would you like another one?`
    const next = asked.find((each) => missing.includes(each))
    this.#wants = next ?? 'yes'
    if (next === undefined)
      return `That is ${quantity} times ${product.name} for ${name}, delivered to ${address}. It comes to ${total}. Shall I place the order?`
    const ask = {
      name: 'What is your name?',
      email: 'What is your e-mail address?',
      address: 'Where shall we deliver it?',
    }[next]
    return missing.length === asked.length
      ? `${quantity} times ${product.name} comes to ${total}. ${ask}`
      : `Thank you. ${ask}`
  }
}

const canOrder = (tools: readonly EngineTool[]): boolean =>
  [showTool, placeTool].every((name) => tools.some((tool) => tool.name === name))

function ordered(what: string): OrderStep {
  const quantity = quantityIn(what)
  const product = withDigits(what)
    .replace(/\b\d{1,2}\b/, ' ')
    .replace(fillers, ' ')
    .replace(/[^\p{L}\p{N}\s-]/gu, ' ')
  return {
    tool: showTool,
    args: { product: product.replace(/\s+/g, ' ').trim(), ...(quantity === undefined ? {} : { quantity }) },
  }
}

function quantityIn(text: string): number | undefined {
  const digits = /\b(\d{1,2})\b/.exec(withDigits(text))?.[1]
  return digits === undefined || digits === '0' ? undefined : Number(digits)
}

/** What says itself what it is. */
function factsIn(text: string): Readonly<Record<string, string>> {
  const name = /\bmy name is (?<name>[\p{L}' -]{2,60}?)(?=\s+(?:and|my|the|i|you|please)\b|[^\p{L}' -]|$)/iu.exec(text)
    ?.groups?.name
  const place = /\b(?:deliver(?: it)? to|ship(?: it)? to|(?:my|the) address is)\s+(?<place>.{4,200})/i.exec(text)
    ?.groups?.place
  const spoken = spokenEmail.exec(text)?.groups
  const mail =
    email.exec(text)?.[0] ?? (spoken === undefined ? undefined : `${dotted(spoken.user)}@${dotted(spoken.host)}`)
  return {
    ...(name === undefined ? {} : { name: named(name) }),
    ...(mail === undefined ? {} : { email: mail.toLowerCase() }),
    ...(place === undefined ? {} : { address: said(place) }),
  }
}

const dotted = (words = ''): string => words.replace(/ (?:dot|point) /gi, '.').replaceAll(' ', '')

/** A recogniser writes no capitals. */
const named = (words: string): string => said(words).replace(/(^|[\s-])\p{Ll}/gu, (first) => first.toUpperCase())

const said = (text: string): string =>
  text
    .replace(/^\W*(?:it is|it's|i am|i'm|to)\s+/i, '')
    .replace(/[\s.,!]+$/, '')
    .trim()

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
