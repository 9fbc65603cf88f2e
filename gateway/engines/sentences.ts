// Text on its way to the mouth: sentences short enough to speak at once, and spellings that a simple voice can read.

/** Flite says some 15 characters a second: a piece of 180 is 12 s long and takes 150 ms to make. */
const longestPiece = 180

/** Every piece keeps its characters: joined they are the text again, apart from white space between them. */
export function sentences(text: string): readonly string[] {
  const whole = text.match(/\S[^.!?\n]*(?:[.!?](?![.!?"')\]]*(?:\s|$))[^.!?\n]*)*(?:[.!?]+["')\]]*|\n|$)/gu) ?? []
  // Chinese and Japanese leave no space after an end.
  const parts = whole.flatMap((sentence) => sentence.split(/(?<=[。！？])/u))
  return parts.flatMap((sentence) => pieces(sentence.trim())).filter((piece) => piece !== '')
}

function pieces(sentence: string): readonly string[] {
  if (sentence.length <= longestPiece) return [sentence]
  const head = sentence.slice(0, longestPiece)
  const cut = Math.max(head.lastIndexOf(', '), head.lastIndexOf('; '), head.lastIndexOf(' - '))
  const at = cut > longestPiece / 3 ? cut + 1 : head.lastIndexOf(' ')
  if (at <= 0) return [head, ...pieces(sentence.slice(longestPiece))]
  return [sentence.slice(0, at).trimEnd(), ...pieces(sentence.slice(at).trimStart())]
}

const currency: Readonly<Record<string, string>> = { '€': 'euros', '£': 'pounds', $: 'dollars' }

/** The words to speak for a written sentence; empty when nothing in it can be spoken. */
export function pronounceable(sentence: string): string {
  const spelled = sentence
    .replace(/https?:\/\/\S+/g, 'the link')
    .replace(/([€£$])\s?(\d[\d,]*)(?:\.(\d\d))?/g, (_, sign: string, whole: string, cents?: string) => {
      const rest = cents === undefined || cents === '00' ? '' : ` ${cents}`
      return `${whole.replaceAll(',', '')} ${currency[sign] ?? ''}${rest}`
    })
    .replace(/\b0?(\d{1,2}):00\b/g, "$1 o'clock")
    .replace(/\b0?(\d{1,2}):([0-5]\d)\b/g, '$1 $2')
    .replace(/&/g, ' and ')
    .replace(/%/g, ' percent')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[‘’]/g, "'")
    .replace(/[–—]/g, ', ')
    .replace(/[*_`#|<>[\]{}"~^\\/]/g, ' ')
    .replace(/[^\x20-\x7e]/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  return /[a-z0-9]/i.test(spelled) ? spelled : ''
}

export interface SpokenWord {
  /** With the white space before it, so that the words joined are the sentence. */
  readonly text: string
  readonly atMs: number
}

/** When each word of a sentence begins: letters share the time between the silences at both ends. */
export function alignWords(sentence: string, facts: { readonly fromMs: number; readonly toMs: number }): SpokenWord[] {
  const found = sentence.match(/\s*\S+/gu) ?? []
  const weights = found.map(weight)
  const total = weights.reduce((a, b) => a + b, 0)
  let passed = 0
  return found.map((text, i) => {
    const atMs = facts.fromMs + ((facts.toMs - facts.fromMs) * passed) / total
    passed += weights[i] ?? 0
    return { text, atMs }
  })
}

/** A digit is a word of its own; a comma is a short rest. */
function weight(word: string): number {
  const digits = word.match(/\d/g)?.length ?? 0
  const rest = /[,;:]$/.test(word) ? 3 : 0
  return word.trim().length + digits * 3 + rest + 1
}

/** Where the sound begins and ends, in milliseconds of PCM16 24 kHz. */
export function soundSpan(pcm: Buffer): { fromMs: number; toMs: number } {
  const quiet = 300
  let first = 0
  let last = pcm.length - 2
  while (first < last && Math.abs(pcm.readInt16LE(first)) < quiet) first += 2
  while (last > first && Math.abs(pcm.readInt16LE(last)) < quiet) last -= 2
  return { fromMs: first / 48, toMs: (last + 2) / 48 }
}
