// Which words a visitor gets.

import { en, type Words } from './words.ts'

/** English is always there; another language is fetched by those who read it. */
const languages: Readonly<Record<string, () => Promise<Words>>> = {
  en: () => Promise.resolve(en),
  de: async () => (await import('./words-de.ts')).de,
  es: async () => (await import('./words-es.ts')).es,
  ar: async () => (await import('./words-ar.ts')).ar,
}

/** The first of the wanted languages that exists, else English; English too where the words cannot be had. */
export async function wordsFor(wanted: readonly string[]): Promise<{ readonly lang: string; readonly words: Words }> {
  for (const tag of wanted) {
    const lang = tag.toLowerCase().split('-')[0] ?? ''
    const words = await languages[lang]?.().catch(() => undefined)
    if (words !== undefined) return { lang, words }
  }
  return { lang: 'en', words: en }
}

export function isRightToLeft(lang: string): boolean {
  return lang === 'ar'
}
