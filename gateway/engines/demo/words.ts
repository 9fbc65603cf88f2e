// The little English the demo knows: content words, stems, and the numbers and times in a sentence.

const stopWords = new Set(
  `a an and any are as at be by can could did do does for from get give had has have hello hey hi how i id if in into is it
   its just let like lot me more my no not now of on one or our out please really show so some tell than thank thanks that
   the their them then there these they this those to too under up us very want was we were what when where which who whom
   why will with would yes you your find look looking search need list see about anything something got over below above
   between less most least much many all`.split(/\s+/),
)

export function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}][\p{L}\p{N}'-]*/gu) ?? []
}

export function contentWords(text: string): readonly string[] {
  return wordsOf(text.replace(/'(?:s|re|m|ll|ve|d)\b/gi, '')).filter((word) => !stopWords.has(word))
}

/** Crude on purpose: enough to meet "sofas" with "sofa" and "speaking" with "speaker". */
export function stem(word: string): string {
  const plain = word.replace(/'s$/, '')
  if (plain.length <= 3) return plain
  return plain
    .replace(/(?:ies|y)$/, 'i')
    .replace(/(?:ings?|ers?|e?s|ed|e)$/, (end) => (plain.length - end.length < 3 ? end : ''))
}

export function stemsOf(text: string): ReadonlySet<string> {
  return new Set(contentWords(text).map(stem))
}

export function singular(word: string): string {
  if (/(?:ss|us|is)$/.test(word) || word.length < 4) return word
  if (word.endsWith('ies')) return `${word.slice(0, -3)}y`
  if (/(?:ches|shes|xes|sses)$/.test(word)) return word.slice(0, -2)
  return word.endsWith('s') ? word.slice(0, -1) : word
}

const small: readonly string[] =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  )
const tens: readonly string[] = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ')

/** Spelled numbers as digits: "five hundred" → "500", "twenty nine" → "29". A recogniser writes no digits. */
export function withDigits(text: string): string {
  const number = `(?:${[...small, ...tens].join('|')})`
  const phrase = new RegExp(`\\b${number}(?:[ -](?:and |)(?:${number}|hundred|thousand))*\\b`, 'gi')
  return text.replace(phrase, (found) => {
    if (/^one$/i.test(found)) return found
    let total = 0
    let group = 0
    for (const word of found.toLowerCase().split(/[ -]+/)) {
      if (word === 'hundred') group = (group || 1) * 100
      else if (word === 'thousand') {
        total += (group || 1) * 1000
        group = 0
      } else if (small.includes(word)) group += small.indexOf(word)
      else if (tens.includes(word)) group += (tens.indexOf(word) + 2) * 10
    }
    return String(total + group)
  })
}

const amount = String.raw`[€£$]?\s?(\d[\d,]*(?:\.\d+)?)\s?(k\b)?`
const upTo = new RegExp(
  String.raw`(?:under|below|less than|up to|at most|max(?:imum)?(?: of)?|cheaper than|within|budget of|no more than)\s+${amount}`,
  'i',
)
const atLeast = new RegExp(
  String.raw`(?:over|above|more than|at least|min(?:imum)?(?: of)?|starting (?:at|from))\s+${amount}`,
  'i',
)
const between = new RegExp(String.raw`between\s+${amount}\s+and\s+${amount}`, 'i')

export interface Range {
  readonly min?: number
  readonly max?: number
}

/** "under 500", "between 100 and 200", "at least 50". */
export function rangeIn(text: string): Range {
  const both = between.exec(text)
  if (both !== null) return { min: numberOf(both[1], both[2]), max: numberOf(both[3], both[4]) }
  const max = upTo.exec(text)
  const min = atLeast.exec(text)
  return {
    ...(min === null ? {} : { min: numberOf(min[1], min[2]) }),
    ...(max === null ? {} : { max: numberOf(max[1], max[2]) }),
  }
}

function numberOf(digits: string | undefined, thousands: string | undefined): number {
  return Number((digits ?? '').replaceAll(',', '')) * (thousands === undefined ? 1 : 1000)
}

/** "at 10", "2 pm", "10:30", "noon" as HH:MM. */
export function timeIn(text: string): string | undefined {
  if (/\bnoon\b/i.test(text)) return '12:00'
  const found =
    /\b(\d{1,2}):(\d{2})\s*(am|pm)?/i.exec(text) ??
    /\b(\d{1,2})()\s*(am|pm)\b/i.exec(text) ??
    /\b(\d{1,2})()()\s*o'?clock\b/i.exec(text) ??
    /\b(?:at|around|about|from|after|before)\s+(\d{1,2})()()(?![\d,.]|\s*(?:€|euro|pound|dollar|percent))/i.exec(text)
  if (found === null) return undefined
  const hour = Number(found[1])
  const shift =
    found[3]?.toLowerCase() === 'pm' && hour < 12 ? 12 : found[3]?.toLowerCase() === 'am' && hour === 12 ? -12 : 0
  if (hour > 23) return undefined
  return `${String(hour + shift).padStart(2, '0')}:${found[2] || '00'}`
}

const colours = new Set(
  `red blue green yellow orange purple pink brown black white grey gray beige navy teal turquoise gold silver cream
   burgundy olive charcoal tan violet mint coral`.split(/\s+/),
)

export function colourIn(text: string): string | undefined {
  return wordsOf(text).find((word) => colours.has(word))
}
