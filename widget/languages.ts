// Which words a visitor gets.

import { en, type Words } from './words.ts'
import { ar } from './words-ar.ts'
import { de } from './words-de.ts'
import { es } from './words-es.ts'

const languages: Readonly<Record<string, Words>> = { en, de, es, ar }

/** The first of the wanted languages that exists, else English. */
export function wordsFor(wanted: readonly string[]): { readonly lang: string; readonly words: Words } {
  for (const tag of wanted) {
    const lang = tag.toLowerCase().split('-')[0] ?? ''
    const words = languages[lang]
    if (words !== undefined) return { lang, words }
  }
  return { lang: 'en', words: en }
}

export function isRightToLeft(lang: string): boolean {
  return lang === 'ar'
}
