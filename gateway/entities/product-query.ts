// What a person means by "red sofa under 500". Pure: words in, criteria out.

/** Everything given must hold. Prices in whole units of the currency. */
export interface ProductQuery {
  /** As a person says it: "red sofa under 500". */
  readonly query?: string | undefined
  readonly colour?: string | undefined
  readonly category?: string | undefined
  readonly minPrice?: number | undefined
  readonly maxPrice?: number | undefined
}

export interface ProductStats {
  readonly count: number
  /** Null when nothing fits. */
  readonly minPrice: number | null
  readonly maxPrice: number | null
  /** To the cent. */
  readonly avgPrice: number | null
  readonly categories: readonly { readonly category: string; readonly count: number; readonly minPrice: number }[]
}

export interface ProductCriteria {
  /** Every word must be among the product's words. */
  readonly words: readonly string[]
  /** Any of these. */
  readonly colours: readonly string[]
  readonly minPriceCents?: number
  readonly maxPriceCents?: number
}

export const colours = [
  'black',
  'white',
  'grey',
  'red',
  'orange',
  'yellow',
  'green',
  'blue',
  'purple',
  'pink',
  'brown',
  'beige',
  'navy',
  'teal',
  'cream',
  'gold',
  'silver',
  'burgundy',
  'mustard',
  'turquoise',
] as const

const sameWord: ReadonlyMap<string, string> = new Map([
  ['gray', 'grey'],
  ['couch', 'sofa'],
  ['settee', 'sofa'],
  ['loveseat', 'sofa'],
  ['wardrobe', 'cupboard'],
  ['closet', 'cupboard'],
  ['bookcase', 'shelf'],
  ['bookshelf', 'shelf'],
  ['shelve', 'shelf'],
  ['shelving', 'shelf'],
  ['carpet', 'rug'],
])

/** Words of a request that name no product. Judgements (`nice`, `cheap`) are in: nothing stored could match them. */
const filler = new Set(
  (
    'a an the i im me my we us our you your it its is are am be do does did can could would should will have has had got get ' +
    'any some all one two of in on at to for from with without and or but not this that these those there here what which who ' +
    'how where show find search look looking see give tell want need like buy order please thanks thank hello hi hey ' +
    'nice good best great cheap cheaper cheapest affordable inexpensive beautiful pretty lovely comfy comfortable new dark light ' +
    'product products item items option options something anything thing stuff catalogue catalog piece sell offer available stock ' +
    'colour color coloured colored price priced cost costs costing budget dollar dollars usd euro euros eur buck bucks about around ' +
    'under below less than up most maximum max over above more least minimum min between cheaply range much many'
  ).split(' '),
)

const amount = String.raw`[$€£]?\s*(\d[\d,]*(?:\.\d{1,2})?)\s*(k\b)?`
const between = new RegExp(
  String.raw`\b(?:between|from)\s+${amount}\s*(?:dollars|euros|usd|eur|[$€£])?\s*(?:and|to|-)\s*${amount}`,
)
const atMost = new RegExp(
  String.raw`\b(?:under|below|less than|cheaper than|up to|at most|no more than|not more than|max(?:imum)?(?: of)?|within|<=?)\s*${amount}`,
)
const atLeast = new RegExp(
  String.raw`\b(?:over|above|more than|at least|min(?:imum)?(?: of)?|from|starting at|>=?)\s*${amount}`,
)

export function parseProductQuery(text: string): ProductCriteria {
  let rest = ` ${text.toLowerCase().slice(0, 300)} `
  let minPriceCents: number | undefined
  let maxPriceCents: number | undefined
  const take = (pattern: RegExp): (number | undefined)[] => {
    const match = pattern.exec(rest)
    if (match === null) return []
    rest = rest.replace(match[0], ' ')
    return [cents(match[1], match[2]), cents(match[3], match[4])]
  }
  const range = take(between)
  if (range.length > 0) [minPriceCents, maxPriceCents] = range
  else {
    maxPriceCents = take(atMost)[0]
    minPriceCents = take(atLeast)[0]
  }
  const words = wordsOf(rest).filter((word) => !filler.has(word))
  const palette: readonly string[] = colours
  return {
    words: words.filter((word) => !palette.includes(word)),
    colours: words.filter((word) => palette.includes(word)),
    ...(minPriceCents === undefined ? {} : { minPriceCents }),
    ...(maxPriceCents === undefined ? {} : { maxPriceCents }),
  }
}

function cents(digits: string | undefined, thousand: string | undefined): number | undefined {
  if (digits === undefined) return undefined
  return Math.round(Number(digits.replaceAll(',', '')) * (thousand === undefined ? 100 : 100_000))
}

/** Lower-case, singular, one spelling per thing, no repeats: the same for products and for queries. */
export function wordsOf(text: string): string[] {
  const words = text
    .toLowerCase()
    .replace(/['’]/g, '')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .map(singular)
    .map((word) => sameWord.get(word) ?? word)
  return [...new Set(words)]
}

function singular(word: string): string {
  if (word.endsWith('shelves')) return word.replace(/shelves$/, 'shelf')
  if (word.length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}y`
  if (word.length > 4 && /(?:ches|shes|xes|sses)$/.test(word)) return word.slice(0, -2)
  if (word.length > 3 && word.endsWith('s') && !/(?:ss|us|is)$/.test(word)) return word.slice(0, -1)
  return word
}
