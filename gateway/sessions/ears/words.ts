// What words tell about speech over the agent's own: that it only nods, or that it is the agent who was heard. Pure.

/** Said by who listens on. Words that also stop or answer (`no`, `wait`, `what`) are none, in any language. */
const nods: Readonly<Record<string, readonly string[]>> = {
  en: [
    ...[
      'uh huh',
      'uhhuh',
      'mm hmm',
      'mmhmm',
      'mhm',
      'mm',
      'mmm',
      'hm',
      'hmm',
      'uh',
      'um',
      'ah',
      'aha',
      'oh',
      'yeah',
      'yep',
    ],
    ...['yup', 'yes', 'ok', 'okay', 'k', 'right', 'sure', 'true', 'exactly', 'indeed', 'alright', 'all right', 'i see'],
    ...[
      'got it',
      'i know',
      'great',
      'good',
      'nice',
      'cool',
      'wow',
      'really',
      'of course',
      'fair enough',
      'makes sense',
    ],
  ],
  de: [
    ...[
      'mhm',
      'hm',
      'hmm',
      'mm',
      'aha',
      'ah',
      'äh',
      'ähm',
      'ach',
      'ach so',
      'achso',
      'oh',
      'ja',
      'jo',
      'jap',
      'jep',
      'jaja',
    ],
    ...[
      'genau',
      'okay',
      'ok',
      'gut',
      'klar',
      'richtig',
      'stimmt',
      'verstehe',
      'ich verstehe',
      'alles klar',
      'super',
      'schön',
    ],
    ...['toll', 'na klar', 'natürlich', 'eben', 'so so', 'wirklich', 'sicher'],
  ],
  fr: [
    ...[
      'mhm',
      'hm',
      'hmm',
      'mm',
      'hum',
      'euh',
      'ah',
      'ah oui',
      'ah bon',
      'oh',
      'oui',
      'ouais',
      'ok',
      'okay',
      "d'accord",
    ],
    ...[
      'bien',
      'très bien',
      'bon',
      'voilà',
      'exactement',
      'je vois',
      'je comprends',
      'bien sûr',
      'super',
      'parfait',
      'tout à fait',
    ],
    ...["c'est vrai", 'entendu', 'vraiment'],
  ],
  es: [
    ...[
      'mhm',
      'hm',
      'hmm',
      'mm',
      'eh',
      'ah',
      'ajá',
      'aja',
      'oh',
      'sí',
      'si',
      'ya',
      'vale',
      'ok',
      'okay',
      'claro',
      'bueno',
    ],
    ...[
      'bien',
      'muy bien',
      'exacto',
      'exactamente',
      'entiendo',
      'ya veo',
      'de acuerdo',
      'perfecto',
      'genial',
      'cierto',
      'por supuesto',
    ],
    ...['verdad', 'seguro'],
  ],
}
/** Sounds that mean the same everywhere. */
const common = ['mhm', 'mm', 'mmm', 'hm', 'hmm', 'uh huh', 'aha', 'ah', 'oh', 'ok', 'okay']
/** Who says more goes on to say something. */
const mostNodWords = 5
/** So many words in a row that we said ourselves are no chance. */
const fewestRepeated = 4
/** Kept of what the agent said: half a minute. */
const keptChars = 600

/** Lower case, without punctuation. */
export function wordsOf(text: string): readonly string[] {
  return text
    .toLowerCase()
    .normalize('NFC')
    .replace(/[’`]/g, "'")
    .split(/[^\p{L}\p{N}']+/u)
    .filter((word) => word !== '')
}

/** Phrases of the language, sounds of all, and the tenant's own. */
export class Nods {
  readonly #phrases: ReadonlySet<string>

  constructor(language: string, more: readonly string[] = []) {
    const own = nods[language.slice(0, 2).toLowerCase()] ?? []
    this.#phrases = new Set([...common, ...own, ...more].map((phrase) => wordsOf(phrase).join(' ')))
  }

  /** Nothing but nods: `yeah, okay`, `uh-huh`. False for nothing at all. */
  is(text: string): boolean {
    const words = wordsOf(text)
    return words.length > 0 && words.length <= mostNodWords && this.#consists(words)
  }

  #consists(words: readonly string[]): boolean {
    if (words.length === 0) return true
    return [3, 2, 1].some(
      (length) =>
        length <= words.length &&
        this.#phrases.has(words.slice(0, length).join(' ')) &&
        this.#consists(words.slice(length)),
    )
  }
}

/** What the agent said of late. */
export class OwnWords {
  #text = ''

  add(delta: string): void {
    this.#text = (this.#text + delta).slice(-keptChars)
  }

  /** Between two answers. */
  pause(): void {
    if (!this.#text.endsWith(' ')) this.add(' ')
  }

  /** Nearly all of the text is what the agent said, in its order. `sure`: the sound was ours too, so a word is enough. */
  includes(text: string, sure: boolean): boolean {
    const words = wordsOf(text)
    if (words.length === 0 || (!sure && words.length < fewestRepeated)) return false
    const common = longestCommon(words, wordsOf(this.#text))
    return common >= Math.max(sure ? 1 : fewestRepeated - 1, words.length * 0.75)
  }
}

/** Length of the longest common subsequence whose words lie close together on our side. */
function longestCommon(heard: readonly string[], said: readonly string[]): number {
  let best = 0
  const reach = heard.length * 2
  for (let start = 0; start < said.length; start++) {
    if (!heard.includes(said[start] ?? '')) continue
    best = Math.max(best, commonSubsequence(heard, said.slice(start, start + reach)))
    if (best === heard.length) break
  }
  return best
}

function commonSubsequence(a: readonly string[], b: readonly string[]): number {
  let row = new Array<number>(b.length + 1).fill(0)
  for (const word of a) {
    const next = [0]
    for (let j = 0; j < b.length; j++) {
      next.push(b[j] === word ? (row[j] ?? 0) + 1 : Math.max(row[j + 1] ?? 0, next[j] ?? 0))
    }
    row = next
  }
  return row[b.length] ?? 0
}
