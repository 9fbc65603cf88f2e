// What visuals are drawn with: the few blocks that every client has a renderer for. Texts of agents and tools are text and
// nothing else; an address is one of the web's or there is none. Pure.

/** From a word of ours in English to the reader's language; what it does not know stays. */
export type Say = (english: string) => string

export const inEnglish: Say = (english) => english

/** What a person sends from a visual. */
export type SubmitValue = string | number | boolean
export type SubmitValues = Readonly<Record<string, SubmitValue>>

export interface Money {
  /** In the currency's smallest unit. */
  readonly minor: number
  /** ISO 4217. */
  readonly currency: string
}

export interface Field {
  readonly name: string
  readonly label: string
  readonly type: 'text' | 'email' | 'lines' | 'number'
  readonly required: boolean
  /** Characters of a text; of a number the number itself. */
  readonly most: number
  readonly least?: number
  /** As the agent understood it so far. */
  readonly value?: string | number
  /** What a browser may fill in by itself. */
  readonly fills?: 'name' | 'email' | 'street-address'
}

export interface FormBlock {
  readonly is: 'form'
  /** What it is about, in one word or name. */
  readonly about: string
  readonly fields: readonly Field[]
  readonly button: string
  /** Grows with a field. */
  readonly total?: Money & { readonly label: string; readonly times: string }
}

export interface Choice {
  readonly text: string
  readonly values: SubmitValues
}

export type Block =
  | { readonly is: 'heading' | 'text' | 'soft'; readonly text: string }
  | { readonly is: 'badge'; readonly text: string; readonly tone: 'good' | 'bad' }
  | { readonly is: 'image'; readonly url: string; readonly alt: string }
  | ({ readonly is: 'price' } & Money)
  | { readonly is: 'facts'; readonly rows: readonly { readonly label: string; readonly value: string | Money }[] }
  | { readonly is: 'link'; readonly text: string; readonly url: string; readonly look: 'plain' | 'button' }
  | {
      readonly is: 'cards'
      readonly layout: 'list' | 'grid' | 'carousel'
      readonly label: string
      readonly cards: readonly (readonly Block[])[]
    }
  | {
      readonly is: 'chart'
      readonly kind: 'bar' | 'line'
      readonly label: string
      readonly points: readonly { readonly label: string; readonly value: number }[]
      readonly unit: string
    }
  | { readonly is: 'choices'; readonly label: string; readonly options: readonly Choice[] }
  | FormBlock
  | {
      readonly is: 'upload'
      readonly label: string
      readonly button: string
      /** Media types, as a file field takes them. */
      readonly accept: readonly string[]
      readonly mostBytes: number
    }

/** The address, if a browser may be sent there: http and https, with a host, and without a user's name that only hides the host. */
export function webUrl(text: string | undefined): string | undefined {
  if (text === undefined || !URL.canParse(text)) return undefined
  const url = new URL(text)
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:'
  return isWeb && url.username === '' && url.password === '' ? url.href : undefined
}

/** Nothing where the address is none of the web's. */
export function image(url: string | undefined, alt: string): readonly Block[] {
  const safe = webUrl(url)
  return safe === undefined ? [] : [{ is: 'image', url: safe, alt }]
}

export function link(url: string | undefined, text: string, look: 'plain' | 'button' = 'plain'): readonly Block[] {
  const safe = webUrl(url)
  return safe === undefined ? [] : [{ is: 'link', url: safe, text, look }]
}

export function text(is: 'heading' | 'text' | 'soft', words: string | undefined): readonly Block[] {
  return words === undefined || words === '' ? [] : [{ is, text: words }]
}

/** `1,099.50`: in the reader's language, with the digits that the currency has. */
export function moneyText({ minor, currency }: Money, language: string): string {
  const format = new Intl.NumberFormat(language, { style: 'currency', currency })
  return format.format(minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2))
}

/** Those of the blocks, and of the cards among them, that a person can send something from. */
export function inner(blocks: readonly Block[]): readonly Block[] {
  return blocks.flatMap((block) => (block.is === 'cards' ? block.cards.flatMap(inner) : [block]))
}
